/*
 * auth.c
 *		Bearer tokens.  The file has their hashes, not them: a line is the SHA-256 in
 *		hexadecimal, a name for the log, and the database role that answers, if another
 *		than the login's.  A list once in use stays in memory, as requests point into it.
 */
#include "restd.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

typedef struct TokenList
{
	struct TokenList *former;	/* that it took the place of */
	size_t		n;
	Token	   *tokens;
} TokenList;

static TokenList *_Atomic list;

/* Hexadecimal digits as bytes; false: they are not 64 of them. */
static bool
read_hash(const char *digits, unsigned char hash[32])
{
	if (strlen(digits) != 64 || strspn(digits, "0123456789abcdefABCDEF") != 64)
		return false;
	for (int i = 0; i < 32; i++)
	{
		unsigned int byte;

		sscanf(digits + 2 * i, "%2x", &byte);
		hash[i] = (unsigned char) byte;
	}
	return true;
}

/* A line of the file; gives what is wrong with it, or NULL. */
static const char *
read_line(char *line, TokenList *tokens)
{
	char	   *rest = NULL;
	char	   *hash = strtok_r(line, " \t\r\n", &rest);
	char	   *name = strtok_r(NULL, " \t\r\n", &rest);
	char	   *role = strtok_r(NULL, " \t\r\n", &rest);
	Token		token = {0};

	if (hash == NULL || *hash == '#')
		return NULL;
	if (!read_hash(hash, token.hash))
		return "a line begins with the SHA-256 of a token, 64 hexadecimal digits";
	if (name == NULL || strchr(name, ':') != NULL)
		return "after the hash stands a name, without a colon";
	token.name = need_copy(name);
	token.role = role != NULL ? need_copy(role) : NULL;
	tokens->tokens = need_memory(tokens->tokens, sizeof(Token) * (tokens->n + 1));
	tokens->tokens[tokens->n++] = token;
	return NULL;
}

static void
free_tokens(TokenList *tokens)
{
	for (size_t i = 0; i < tokens->n; i++)
	{
		free(tokens->tokens[i].name);
		free(tokens->tokens[i].role);
	}
	free(tokens->tokens);
	free(tokens);
}

/* The file as a list; NULL, and *fault says why. */
static TokenList *
read_tokens(const char *path, char *fault, size_t fault_size)
{
	FILE	   *file = fopen(path, "r");
	TokenList  *tokens = need_memory(NULL, sizeof(TokenList));
	struct stat status;
	char		line[1024];
	const char *wrong = NULL;

	*tokens = (TokenList) {0};
	if (file == NULL)
	{
		snprintf(fault, fault_size, "%s: %s", path, strerror(errno));
		free(tokens);
		return NULL;
	}
	if (fstat(fileno(file), &status) == 0 && (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		wrong = "others than its owner can write to the file";
	for (int number = 1; wrong == NULL && fgets(line, sizeof(line), file) != NULL; number++)
	{
		wrong = read_line(line, tokens);
		if (wrong != NULL)
			snprintf(fault, fault_size, "%s, line %d: %s", path, number, wrong);
	}
	if (wrong != NULL && fault[0] == '\0')
		snprintf(fault, fault_size, "%s: %s", path, wrong);
	fclose(file);
	if (wrong == NULL)
		return tokens;
	free_tokens(tokens);
	return NULL;
}

/* See restd.h. */
void
auth_load(void)
{
	char		fault[1200] = "";
	char		number[24];
	TokenList  *tokens;

	if (*options.tokens == '\0')
		return;
	tokens = read_tokens(options.tokens, fault, sizeof(fault));
	if (tokens == NULL && atomic_load(&list) == NULL)
		die("%s", fault);
	if (tokens == NULL)
	{
		log_event("error", "the tokens stay as they were", "message", fault, (char *) NULL);
		return;
	}
	tokens->former = atomic_load(&list);
	atomic_store(&list, tokens);
	snprintf(number, sizeof(number), "%zu", tokens->n);
	log_event("info", "tokens loaded", "#tokens", number, (char *) NULL);
}

bool
auth_needed(void)
{
	return atomic_load(&list) != NULL;
}

/* The token of a header Authorization, or NULL.  Takes as long for one as for another. */
const Token *
auth_check(const char *header)
{
	const TokenList *tokens = atomic_load(&list);
	const Token *found = NULL;
	unsigned char hash[32];

	if (header == NULL || strncasecmp(header, "Bearer ", 7) != 0)
		return NULL;
	header += 7 + strspn(header + 7, " ");
	if (EVP_Digest(header, value_length(header, strlen(header)), hash, NULL, EVP_sha256(), NULL) != 1)
		return NULL;
	for (size_t i = 0; i < tokens->n; i++)
		if (CRYPTO_memcmp(hash, tokens->tokens[i].hash, sizeof(hash)) == 0)
			found = &tokens->tokens[i];
	return found;
}
