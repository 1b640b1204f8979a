/*
 * sha256.h
 *		SHA-256 (FIPS 180-4), for the hashes of tokens.
 */
#ifndef ARIMA_RESTD_SHA256_H
#define ARIMA_RESTD_SHA256_H

#include <stddef.h>

extern void sha256(const void *data, size_t size, unsigned char hash[32]);

#endif
