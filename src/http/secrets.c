/*
 * secrets.c
 *		Keys and tokens: read from a file, put into a request at the moment of
 *		sending, wiped afterwards.
 *
 * They are in no setting: a session that has not loaded the library yet would
 * show it to everyone.  Each belongs to a host, so that a request to another
 * listed one cannot carry it away.
 *
 * The file has a line for each: name, host (as on the list of allowed ones),
 * value; with blanks between.  A # begins a comment line.
 */
#include "postgres.h"

#include <ctype.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/memutils.h"

#include "internal.h"
#include "spelling.h"

#define OPENING "{secret:"
#define MAX_FILE_SIZE 65536
#define MIN_VALUE_SIZE 8		/* a shorter one could not be told from other text */
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"

/* See internal.h. */
bool
ao_http_has_secret(const char *template)
{
	return strstr(template, OPENING) != NULL;
}

/* The name of the next secret in the template, from *start to *end, NULL if none. */
static char *
next_secret(const char *template, const char **start, const char **end)
{
	const char *name;
	size_t		size;

	*start = strstr(template, OPENING);
	if (*start == NULL)
		return NULL;
	name = *start + strlen(OPENING);
	size = strspn(name, NAME_CHARACTERS);
	*end = name + size + (name[size] == '}' ? 1 : 0);
	return pnstrdup(name, size);
}

/* See internal.h. */
char *
ao_http_mask_secrets(const char *template)
{
	StringInfoData out;
	const char *start;
	const char *end;

	initStringInfo(&out);
	while (next_secret(template, &start, &end) != NULL)
	{
		appendBinaryStringInfo(&out, template, start - template);
		appendStringInfoString(&out, "SECRET");
		template = end;
	}
	appendStringInfoString(&out, template);
	return out.data;
}

/* The value with all but unreserved characters as %XX; palloc'd. */
static char *
escape(const char *value)
{
	StringInfoData out;

	initStringInfo(&out);
	for (const unsigned char *c = (const unsigned char *) value; *c != '\0'; c++)
	{
		if (isalnum(*c) || strchr("-._~", *c) != NULL)
			appendStringInfoChar(&out, *c);
		else
			appendStringInfo(&out, "%%%02X", *c);
	}
	return out.data;
}

/* May others than the server's user, or root, read the file? */
static bool
is_private(const struct stat *info)
{
	if (info->st_uid == 0)
		return (info->st_mode & (S_IWGRP | S_IXGRP | S_IRWXO)) == 0;
	return info->st_uid == geteuid() && (info->st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

/* The file's text, palloc'd; NULL with the fault set. */
static char *
read_file(AoHttpSecrets *secrets)
{
	struct stat info;
	char	   *text = NULL;
	ssize_t		size;
	int			file;

	if (ao_http_secrets_file == NULL || ao_http_secrets_file[0] == '\0')
	{
		secrets->fault = "arima_ops.http_secrets_file is not set";
		return NULL;
	}
	file = open(ao_http_secrets_file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file < 0)
	{
		secrets->fault = "the file that arima_ops.http_secrets_file names cannot be opened";
		return NULL;
	}
	if (fstat(file, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size > MAX_FILE_SIZE)
		secrets->fault = "what arima_ops.http_secrets_file names is not a file of at most 64 kB";
	else if (!is_private(&info))
		secrets->fault = "others than the server's user can read the file that arima_ops.http_secrets_file names (chmod 600)";
	else
	{
		text = MemoryContextAllocExtended(CurrentMemoryContext, info.st_size + 1, MCXT_ALLOC_NO_OOM);
		size = text == NULL ? -1 : read(file, text, info.st_size);
		if (size < 0)
		{
			secrets->fault = "the file that arima_ops.http_secrets_file names cannot be read";
			text = NULL;
		}
		else
			text[size] = '\0';
	}
	close(file);
	return text;
}

/* Takes a line apart, which stays; false if it is malformed. */
static bool
read_line(char *line, AoHttpSecret *secret)
{
	char		wrong[AO_HTTP_HOST_SIZE];
	char	   *value;
	size_t		size;

	secret->name = line;
	line += strcspn(line, " \t");
	if (*line == '\0')
		return false;
	*line++ = '\0';
	secret->hosts = line += strspn(line, " \t");
	line += strcspn(line, " \t");
	if (*line == '\0')
		return false;
	*line++ = '\0';
	value = line + strspn(line, " \t");
	size = strlen(value);
	while (size > 0 && isspace((unsigned char) value[size - 1]))
		value[--size] = '\0';
	secret->value = value;
	secret->escaped = escape(value);
	return size >= MIN_VALUE_SIZE && secret->hosts[0] != '\0' &&
		secret->name[strspn(secret->name, NAME_CHARACTERS)] == '\0' &&
		ao_http_valid_list(secret->hosts, wrong, sizeof(wrong));
}

/* Reads the file, once an exchange. */
static void
load(AoHttpSecrets *secrets)
{
	char	   *text;
	char	   *line;

	if (secrets->loaded)
		return;
	secrets->loaded = true;
	text = read_file(secrets);
	if (text == NULL)
		return;
	secrets->items = palloc(sizeof(AoHttpSecret) * (strlen(text) / 4 + 1));
	while ((line = strsep(&text, "\n")) != NULL)
	{
		line += strspn(line, " \t\r");
		if (*line == '\0' || *line == '#')
			continue;
		if (read_line(line, &secrets->items[secrets->n]))
			secrets->n++;
		else
			secrets->fault = "a line of the secrets file is not \"name host value\" with a value of at least 8 characters";
	}
}

/* The secret of this name for this target, or NULL with *why set. */
static const AoHttpSecret *
find_secret(AoHttpSecrets *secrets, const char *name, const AoHttpTarget *target, const char **why)
{
	bool		elsewhere = false;

	load(secrets);
	for (int i = 0; i < secrets->n; i++)
	{
		const AoHttpSecret *secret = &secrets->items[i];

		if (strcmp(secret->name, name) != 0)
			continue;
		if (ao_http_listed(secret->hosts, target))
			return secret;
		elsewhere = true;
	}
	if (elsewhere)
		*why = psprintf("secret \"%s\" is not for host %s, port %d", name, target->host, target->port);
	else
		*why = psprintf("there is no secret \"%s\"%s%s", name,
						secrets->fault != NULL ? ": " : "", secrets->fault != NULL ? secrets->fault : "");
	return NULL;
}

/* See internal.h. */
char *
ao_http_fill_secrets(AoHttpSecrets *secrets, const char *template, bool in_url,
					 const AoHttpTarget *target, const char **why)
{
	StringInfoData out;
	const char *start;
	const char *end;
	char	   *name;

	initStringInfo(&out);
	while ((name = next_secret(template, &start, &end)) != NULL)
	{
		const AoHttpSecret *secret = find_secret(secrets, name, target, why);

		if (secret == NULL)
			return NULL;
		appendBinaryStringInfo(&out, template, start - template);
		appendStringInfoString(&out, in_url ? secret->escaped : secret->value);
		template = end;
	}
	appendStringInfoString(&out, template);
	return out.data;
}

/* Overwrites each occurrence of word in the text, however it is spelled, by asterisks. */
static void
cover(char *text, size_t size, const char *word)
{
	bool		openings[256];
	char	   *end = text + size;

	ao_http_openings(word, openings);
	while (text < end)
	{
		size_t		length;

		if (!openings[(unsigned char) *text])
		{
			text++;
			continue;
		}
		CHECK_FOR_INTERRUPTS();
		length = ao_http_spelled(text, end - text, word);
		memset(text, '*', length);
		text += Max(length, 1);
	}
}

/* See internal.h. */
void
ao_http_scrub(const AoHttpSecrets *secrets, char *text, size_t size)
{
	for (int i = 0; text != NULL && i < secrets->n; i++)
		cover(text, size, secrets->items[i].value);
}

/* Wipes the values; what was made from them goes with its memory context. */
void
ao_http_forget_secrets(AoHttpSecrets *secrets)
{
	for (int i = 0; i < secrets->n; i++)
	{
		explicit_bzero(secrets->items[i].value, strlen(secrets->items[i].value));
		explicit_bzero(secrets->items[i].escaped, strlen(secrets->items[i].escaped));
	}
	secrets->n = 0;
}
