/*
 * spelling.h
 *		A word in a text, however its characters are spelled there.
 *		Knows nothing of PostgreSQL, so that the unit tests can ask it.
 */
#ifndef AO_HTTP_SPELLING_H
#define AO_HTTP_SPELLING_H

#include <stdbool.h>
#include <stddef.h>

/* Which bytes a spelling of the word may begin with. */
extern void ao_http_openings(const char *word, bool openings[256]);
/* How long the spelling of the word is that the text begins with; 0 if there is none. */
extern size_t ao_http_spelled(const char *text, size_t size, const char *word);

#endif							/* AO_HTTP_SPELLING_H */
