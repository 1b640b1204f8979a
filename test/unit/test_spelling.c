/*
 * test_spelling.c
 *		Words that are spelled as JSON, URLs and HTML do it, and what only looks like it.
 */
#include "unit.h"

#include "spelling.h"

#define WORD "abc/def+ghi&jkl"
#define SLASHES 5000

typedef struct Case
{
	const char *word;
	const char *text;
} Case;

static const Case whole[] = {
	{WORD, WORD},
	/* JSON */
	{WORD, "abc\\/def+ghi&jkl"}, {WORD, "abc\\u002fdef\\u002Bghi\\u0026jkl"}, {WORD, "\\u0061bc/def+ghi&jk\\u006C"}, {WORD, "\\x61bc\\x2Fdef+ghi&jkl"},
	{"pass\"word\\1", "pass\\\"word\\\\1"}, {"with\ttab", "with\\ttab"}, {"/slash", "\\/slash"}, {"at the end\\", "at the end\\\\"},
	/* URLs */
	{WORD, "abc%2fdef%2bghi%26jkl"}, {WORD, "abc%2Fdef%2Bghi%26jkl"}, {WORD, "%61%62%63%2f%64%65%66%2b%67%68%69%26%6a%6b%6c"}, {"two words", "two+words"}, {"two words", "two%20words"},
	/* HTML */
	{WORD, "abc/def+ghi&amp;jkl"}, {WORD, "abc&#47;def&#x2B;ghi&#38;jkl"}, {WORD, "abc&#X2f;def&#x2b;ghi&#038;jkl"}, {"<\"quoted'>", "&lt;&quot;quoted&apos;&gt;"}, {"it's me", "it&#039;s me"},
	/* one in the other */
	{WORD, "abc\\\\/def+ghi&jkl"}, {WORD, "abc\\\\\\/def+ghi\\\\u0026jkl"}, {WORD, "abc\\\\\\\\\\\\\\/def+ghi&jkl"}, {WORD, "abc%252fdef%25252Bghi%26jkl"}, {WORD, "abc&amp;#47;def+ghi&amp;amp;jkl"},
	{WORD, "abc\\u00252fdef+ghi\\u0026amp;jkl"}, {WORD, "abc%5C%2Fdef%5cu002bghi\\u005cu0026jkl"}, {"pass\"word\\1", "pass\\\\\\\"word\\\\\\\\1"}, {WORD, "abc\\u005c/def+ghi&jkl"},
	/* beyond ASCII */
	{"f\xc3\xbcr alle", "f\xc3\xbcr alle"}, {"f\xc3\xbcr alle", "f\\u00fcr alle"}, {"f\xc3\xbcr alle", "f%c3%BCr+alle"}, {"f\xc3\xbcr alle", "f&#252;r alle"}, {"f\xc3\xbcr alle", "f\xc3%bcr alle"}, {"f\xc3\xbcr alle", "f\\xc3\\xbcr alle"},
	{"5 \xe2\x82\xac", "5 \\u20AC"}, {"5 \xe2\x82\xac", "5 \\\\u20ac"}, {"5 \xe2\x82\xac", "5 %E2%82%AC"}, {"a \xf0\x9f\x98\x80!", "a \\ud83d\\uDE00!"}, {"a \xf0\x9f\x98\x80!", "a &#x1F600;!"}, {"a \xf0\x9f\x98\x80!", "a \xf0\x9f\x98\x80!"},
	/* not UTF-8 */
	{"f\xfcr", "f\xfcr"}, {"f\xfcr", "f%FCr"}, {"f\xfcr", "f\\u00fcr"}, {"f\xc3", "f\xc3"},
	/* what is in the word looks like it, too */
	{"a%2fb", "a%2fb"}, {"a%2fb", "a%252fb"}, {"a\\\\/b", "a\\\\/b"}, {"a\\\\/b", "a\\\\\\\\\\/b"}, {"a\\u0062", "a\\u0062"}, {"a\\nb", "a\\\\nb"}, {"a\\nb", "a\\nb"}, {"a&amp;b", "a&amp;b"}, {"a&amp;b", "a&amp;amp;b"}
};

static const Case none[] = {
	{WORD, ""}, {WORD, "abc/def+ghi&jk"}, {WORD, "abc%2def+ghi&jkl"}, {WORD, "abc%2gdef+ghi&jkl"}, {WORD, "abc\\u02fdef+ghi&jkl"}, {WORD, "abc&#47def+ghi&jkl"}, {WORD, "abc&#;def+ghi&jkl"},
	{WORD, "abc/def ghi&jkl"}, {WORD, "Abc/def+ghi&jkl"}, {WORD, "\\"}, {WORD, "%"}, {WORD, "%6"}, {WORD, "&"}, {WORD, "&#"}, {WORD, "&#x"}, {WORD, "\\u006"}, {WORD, "abc\\"}, {WORD, "abc%2"}, {WORD, "abc&#x2f"},
	{"a\nb", "a\\rb"}, {"f\xc3\xbcr", "f\xfcr"}, {"f\xc3\xbcr", "f\xc3"}, {"a \xf0\x9f\x98\x80!", "a \\ud83d!"}
};

/* How long the spelling is, in a block of just its size for valgrind to see who reads beyond it. */
static size_t
spelled(const char *text, const char *word)
{
	size_t		size = strlen(text);
	char	   *copy = malloc(size > 0 ? size : 1);
	size_t		length;

	memcpy(copy, text, size);
	length = ao_http_spelled(copy, size, word);
	free(copy);
	return length;
}

/* A word and a text that have nothing but what can be read in several ways: no end that counts is lost, and it does not take for ever. */
static void
check_many_ways(void)
{
	char	   *text = malloc(SLASHES + 1);

	memset(text, '\\', SLASHES);
	text[SLASHES] = '\0';
	UNIT_CHECK(ao_http_spelled(text, 8, "\\\\\\\\\\\\\\\\") == 8, "backslashes as they are");
	UNIT_CHECK(ao_http_spelled(text, 16, "\\\\\\\\\\\\\\\\") == 16, "backslashes, escaped");
	for (size_t i = 0; i < SLASHES; i++)
		if (ao_http_spelled(text + i, SLASHES - i, "\\\\\\\\\\\\\\\\word") != 0)
			text[0] = 'x';
	UNIT_CHECK(text[0] == '\\', "backslashes without what is to follow");
	free(text);
}

int
main(void)
{
	bool		openings[256];

	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
	{
		const Case *c = &whole[i];

		UNIT_CHECK(spelled(c->text, c->word) == strlen(c->text), "%s for %s", c->text, c->word);
		ao_http_openings(c->word, openings);
		UNIT_CHECK(openings[(unsigned char) c->text[0]], "may begin so");
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		UNIT_CHECK(spelled(none[i].text, none[i].word) == 0, "%s is not %s", none[i].text, none[i].word);
	UNIT_CHECK(spelled("abc\\/def+ghi&jkl/mno", WORD) == 16, "what follows is no part of it");
	ao_http_openings(WORD, openings);
	UNIT_CHECK(!openings['b'] && !openings['"'] && !openings['+'], "other bytes begin none");
	check_many_ways();
	return unit_done();
}
