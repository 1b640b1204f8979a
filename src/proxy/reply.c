/*
 * reply.c
 *		Replies in FastAPI's forms.
 */
#include "restd.h"

#include <string.h>

/* See restd.h. */
void
reply_text(Request *request, int status, Text *body)
{
	request->reply = (Reply) {.status = status, .body = body->data, .size = body->size};
	*body = (Text) {0};
}

/* See restd.h. */
void
reply_detail(Request *request, int status, const char *detail)
{
	Text		body = {0};

	text_add_string(&body, "{\"detail\":");
	text_add_json(&body, detail, strlen(detail));
	text_add_char(&body, '}');
	reply_text(request, status, &body);
}

/* See restd.h. */
void
reply_invalid(Request *request, const char *type, const char *loc, const char *message, const char *input, const char *context)
{
	Text		body = {0};

	text_printf(&body, "{\"detail\":[{\"type\":\"%s\",\"loc\":[%s],\"msg\":", type, loc);
	text_add_json(&body, message, strlen(message));
	text_printf(&body, ",\"input\":");
	text_add_string(&body, input != NULL ? input : "null");
	if (context != NULL)
		text_printf(&body, ",\"ctx\":%s", context);
	text_add_string(&body, "}]}");
	reply_text(request, 422, &body);
}

/* See restd.h: 503, and when to come again. */
void
reply_unavailable(Request *request, const char *detail)
{
	reply_detail(request, 503, detail);
	request->reply.retry_after = 1;
}
