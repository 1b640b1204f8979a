/*
 * module.c
 *		Module magic, start-up and settings of the extension.
 */
#include "postgres.h"

#include <limits.h>

#include "fmgr.h"
#include "utils/guc.h"

#include "glue.h"
#include "http.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

int			arima_ops_max_fit_memory = 1024 * 1024;

/* Called once when the library is loaded: defines the settings. */
void
_PG_init(void)
{
	DefineCustomIntVariable("arima_ops.max_fit_memory",
							"Sets the maximum workspace memory of one fit or forecast.",
							"A model that needs more is refused before the memory is taken.",
							&arima_ops_max_fit_memory,
							1024 * 1024,
							64,
							MAX_KILOBYTES,
							PGC_USERSET,
							GUC_UNIT_KB,
							NULL,
							NULL,
							NULL);
	ao_http_define_settings();

#if PG_VERSION_NUM >= 150000
	MarkGUCPrefixReserved("arima_ops");
#else
	EmitWarningsOnPlaceholders("arima_ops");
#endif
}
