/*
 * spec.c
 *		Model specifications as text, in the field's own notation:
 *
 *		[ARIMA] (p,d,q) [ (P,D,Q) ] [ [m] ] [ with TERM [ and TERM ] ] [ without constant ]
 *		auto [ [m] ]
 *
 * TERM is mean, drift or fourier(K).  Case does not matter, nor do blanks between
 * words, numbers and signs.
 */
#include <string.h>

#include "ao.h"

/* Numbers beyond this are not read: far above every limit, far from overflow. */
#define LARGEST_NUMBER 99999999

/* Hints for those who write it as other programs do: SARIMA(0,1,1)(0,1,1,12), order=(0,1,1),
 * (0,1,1)x(0,1,1)12, auto(12). */
#define HINT_ORDERS "\nWrite the orders alone, without names: (1,1,1), with a seasonal part (1,1,1)(0,1,1)[12]; or \"auto\", with a seasonal period \"auto[12]\"."
#define HINT_PERIOD "\nThe period stands behind, in square brackets: (0,1,1)(0,1,1)[12]."
#define HINT_SEASONAL "\nA seasonal part stands in parentheses of its own right behind, its period after it in square brackets: (0,1,1)(0,1,1)[12]."
#define HINT_AUTO "\nIts period stands in square brackets: auto[12]."

/* The text being read, and where in it things stood. */
typedef struct Reader
{
	const char *text;
	size_t		len;
	size_t		at;				/* next character, from 0 */
	size_t		period_at;		/* of [m] */
	size_t		constant_at;	/* of the words on the constant */
	size_t		fourier_at;
	bool		constant_given;
	bool		fourier_given;
	AoEnv	   *env;
} Reader;

static AoStatus
bad_spec(AoEnv *env, int64_t pos, const char *what)
{
	env->err.pos = pos;
	env->err.need = 0;
	env->err.have = 0;
	env->err.what = what;
	return AO_BAD_SPEC;
}

/* Refuses what stands at the reader's position. */
static AoStatus
bad_here(Reader *reader, const char *what)
{
	return bad_spec(reader->env, (int64_t) reader->at + 1, what);
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Passes over blanks; the character that follows, or NUL at the end.  (A NUL
 * inside the text is refused by whoever expected something else.) */
static char
peek(Reader *reader)
{
	while (reader->at < reader->len && is_blank(reader->text[reader->at]))
		reader->at++;
	return reader->at < reader->len ? reader->text[reader->at] : '\0';
}

static bool
accept(Reader *reader, char c)
{
	if (peek(reader) != c)
		return false;
	reader->at++;
	return true;
}

/* Takes the word (given in lower case) if it comes next; another may follow without a
 * blank, since blanks do not matter. */
static bool
accept_word(Reader *reader, const char *word)
{
	size_t		len = strlen(word);
	const char *text;

	(void) peek(reader);
	if (reader->len - reader->at < len)
		return false;
	text = reader->text + reader->at;
	for (size_t i = 0; i < len; i++)
	{
		if (!is_letter(text[i]) || (text[i] | 0x20) != word[i])
			return false;
	}
	reader->at += len;
	return true;
}

/* An unsigned number. */
static AoStatus
read_number(Reader *reader, int *value)
{
	char		c = peek(reader);
	size_t		start = reader->at;
	int			sum = 0;

	if (c == '-')
		return bad_here(reader, "an order cannot be negative");
	if (!is_digit(c))
		return bad_here(reader, "a whole number is expected here");
	while (reader->at < reader->len && is_digit(reader->text[reader->at]))
	{
		sum = sum * 10 + (reader->text[reader->at++] - '0');
		if (sum > LARGEST_NUMBER)
			return bad_spec(reader->env, (int64_t) start + 1, "a number is too large\n"
							"Orders are at most 100, and a seasonal period is at most 366.");
	}
	*value = sum;
	return AO_OK;
}

/* Refuses what stands in place of the closing parenthesis. */
static AoStatus
bad_end(Reader *reader, bool seasonal)
{
	if (peek(reader) != ',')
		return bad_here(reader, "a closing parenthesis is expected here: orders are written (p,d,q)");
	return bad_here(reader, seasonal ?
					"a closing parenthesis is expected here: seasonal orders are written (P,D,Q)" HINT_PERIOD :
					"a closing parenthesis is expected here: orders are written (p,d,q)" HINT_SEASONAL);
}

/* Three numbers and the closing parenthesis; the opening one is behind us. */
static AoStatus
read_orders(Reader *reader, bool seasonal, int *ar, int *diff, int *ma)
{
	int		   *orders[3] = {ar, diff, ma};

	if (is_letter(peek(reader)))
		return bad_here(reader, "a whole number is expected here" HINT_ORDERS);
	for (int i = 0; i < 3; i++)
	{
		AoStatus	status = read_number(reader, orders[i]);

		if (status != AO_OK)
			return status;
		if (i < 2 && !accept(reader, ','))
			return bad_here(reader, "a comma is expected here: orders are written (p,d,q)");
	}
	return accept(reader, ')') ? AO_OK : bad_end(reader, seasonal);
}

/* The optional [m]; *given tells whether it was there. */
static AoStatus
read_period(Reader *reader, int *m, bool *given)
{
	AoStatus	status;

	(void) peek(reader);
	reader->period_at = reader->at;
	*m = 1;
	*given = accept(reader, '[');
	if (!*given)
		return AO_OK;
	status = read_number(reader, m);
	if (status != AO_OK)
		return status;
	if (!accept(reader, ']'))
		return bad_here(reader, "a closing bracket is expected here: the period is written [m]");
	return AO_OK;
}

/* Words on the constant begin at `at`; they may not come twice. */
static AoStatus
begin_constant(Reader *reader, size_t at)
{
	if (reader->constant_given)
		return bad_spec(reader->env, (int64_t) at + 1, "there are two words on the constant");
	reader->constant_given = true;
	reader->constant_at = at;
	return AO_OK;
}

/* (K), after "fourier". */
static AoStatus
read_fourier(Reader *reader, AoSpec *spec, size_t at)
{
	AoStatus	status;

	if (reader->fourier_given)
		return bad_spec(reader->env, (int64_t) at + 1, "Fourier terms are given twice");
	reader->fourier_given = true;
	reader->fourier_at = at;
	if (!accept(reader, '('))
		return bad_here(reader, "the number of Fourier pairs is expected here, as in fourier(3)");
	status = read_number(reader, &spec->K);
	if (status != AO_OK)
		return status;
	if (!accept(reader, ')'))
		return bad_here(reader, "a closing parenthesis is expected here, as in fourier(3)");
	return AO_OK;
}

/* One term after "with", which stands at `at`, or "and". */
static AoStatus
read_term(Reader *reader, AoSpec *spec, size_t at)
{
	bool		differenced = spec->d > 0 || spec->D > 0;

	if (accept_word(reader, "fourier"))
		return read_fourier(reader, spec, at);
	if (accept_word(reader, "mean"))
		spec->constant = AO_CONSTANT_MEAN;
	else if (accept_word(reader, "drift"))
		spec->constant = differenced ? AO_CONSTANT_DRIFT : AO_CONSTANT_MEAN_DRIFT;
	else
		return bad_here(reader, "\"mean\", \"drift\" or \"fourier(K)\" is expected after \"with\"");
	return begin_constant(reader, at);
}

/* The optional words on constant and Fourier terms, and the defaults without them. */
static AoStatus
read_words(Reader *reader, AoSpec *spec)
{
	AoStatus	status = AO_OK;

	spec->constant = spec->d > 0 || spec->D > 0 ? AO_CONSTANT_NONE : AO_CONSTANT_MEAN;
	while (status == AO_OK && peek(reader) != '\0')
	{
		size_t		at = reader->at;

		if (accept_word(reader, "without"))
		{
			if (!accept_word(reader, "constant"))
				return bad_here(reader, "\"constant\" is expected after \"without\"");
			status = begin_constant(reader, at);
			spec->constant = AO_CONSTANT_NONE;
		}
		else if (accept_word(reader, "with"))
		{
			do
				status = read_term(reader, spec, at);
			while (status == AO_OK && accept_word(reader, "and"));
		}
		else
			break;
	}
	return status;
}

/* Everything after the opening parenthesis of (p,d,q). */
static AoStatus
read_arima(Reader *reader, AoSpec *spec)
{
	AoStatus	status = read_orders(reader, false, &spec->p, &spec->d, &spec->q);
	bool		seasonal;
	bool		period_given;

	if (status != AO_OK)
		return status;
	seasonal = accept(reader, '(');
	if (seasonal)
	{
		status = read_orders(reader, true, &spec->P, &spec->D, &spec->Q);
		if (status != AO_OK)
			return status;
	}
	status = read_period(reader, &spec->m, &period_given);
	if (status != AO_OK)
		return status;
	if (seasonal && !period_given)
		return bad_here(reader, "a seasonal part needs its period, as in (0,1,1)[12]");
	return read_words(reader, spec);
}

/* Refuses what stands in place of the opening parenthesis. */
static AoStatus
bad_start(Reader *reader)
{
	return bad_here(reader, is_letter(peek(reader)) ?
					"a specification starts with (p,d,q), or is \"auto\"" HINT_ORDERS :
					"a specification starts with (p,d,q), or is \"auto\"");
}

/* Refuses what is left: a seasonal part behind a sign, or anything else. */
static AoStatus
bad_rest(Reader *reader, const AoSpec *spec)
{
	char		next = peek(reader);
	bool		sign = next == ',' || next == '*' || (next | 0x20) == 'x';

	if (spec->is_auto)
		return bad_here(reader, "nothing but a period [m] can follow \"auto\"" HINT_AUTO);
	return bad_here(reader, sign ?
					"only \"with mean\", \"with drift\", \"with fourier(K)\" or \"without constant\" can stand here" HINT_SEASONAL :
					"only \"with mean\", \"with drift\", \"with fourier(K)\" or \"without constant\" can stand here");
}

static AoStatus
read_spec(Reader *reader, AoSpec *spec)
{
	bool		given;
	AoStatus	status;

	spec->is_auto = accept_word(reader, "auto");
	if (spec->is_auto)
		status = read_period(reader, &spec->m, &given);
	else
	{
		(void) accept_word(reader, "arima");
		if (!accept(reader, '('))
			return bad_start(reader);
		status = read_arima(reader, spec);
	}
	if (status != AO_OK)
		return status;
	(void) peek(reader);
	return reader->at < reader->len ? bad_rest(reader, spec) : AO_OK;
}

/* A seasonal part needs m >= 2; without one m = 1 says "none". */
static bool
needs_longer_period(const AoSpec *spec)
{
	return spec->m < 1 ||
		(spec->m < 2 && (spec->P > 0 || spec->D > 0 || spec->Q > 0));
}

/* What is wrong with the Fourier terms, or NULL. */
static const char *
fourier_fault(const AoSpec *spec)
{
	if (spec->K < 0)
		return "a number of Fourier pairs cannot be negative";
	if (spec->K > 0 && spec->m < 2)
		return "Fourier terms need a period of at least 2, as in (1,0,0)[52] with fourier(3)";
	if (2 * (int64_t) spec->K > spec->m)
		return "there can be no more Fourier pairs than half the period";
	if (spec->K > 0 && spec->D > 0)
		return "seasonal differences leave nothing of Fourier terms; use one of both";
	return NULL;
}

/*
 * Reads a specification of len bytes and checks it by ao_spec_check.  On
 * AO_BAD_SPEC env->err holds the 1-based position (of the part at fault) and
 * the reason; *spec is set only on AO_OK.
 */
AoStatus
ao_spec_parse(const char *text, size_t len, AoSpec *spec, AoEnv *env)
{
	Reader		reader = {.text = text, .len = len, .env = env};
	AoSpec		result = {.m = 1, .constant = AO_CONSTANT_NONE};
	AoStatus	status = read_spec(&reader, &result);

	if (status != AO_OK)
		return status;
	status = ao_spec_check(&result, env);
	if (status == AO_BAD_SPEC)
		env->err.pos = 1 + (int64_t)
			(needs_longer_period(&result) ? reader.period_at :
			 fourier_fault(&result) ? reader.fourier_at : reader.constant_at);
	if (status == AO_OK)
		*spec = result;
	return status;
}

static AoStatus
too_large(AoEnv *env, const char *what, int64_t limit, int64_t have)
{
	env->err.pos = 0;
	env->err.need = limit;
	env->err.have = have;
	env->err.what = what;
	return AO_ORDER_TOO_LARGE;
}

/* One side's orders: order alone, and with the seasonal lags unless these are few. */
static AoStatus
check_side(AoEnv *env, int order, int seasonal, int m, const char *short_name,
		   const char *long_name)
{
	int64_t		expanded = order + (int64_t) m * seasonal;

	if (order > AO_MAX_ORDER)
		return too_large(env, short_name, AO_MAX_ORDER, order);
	if (seasonal > AO_MAX_LONG_SEASONAL && expanded > AO_MAX_ORDER)
		return too_large(env, long_name, AO_MAX_ORDER, expanded);
	return AO_OK;
}

/* A constant that the differences would cancel cannot be estimated. */
static AoStatus
check_constant(const AoSpec *spec, AoEnv *env)
{
	int			differences = spec->d + spec->D;

	switch (spec->constant)
	{
		case AO_CONSTANT_NONE:
			return AO_OK;
		case AO_CONSTANT_MEAN:
			if (differences == 0)
				return AO_OK;
			return bad_spec(env, 0, differences == 1 ?
							"a mean is not identifiable in a differenced series; use \"with drift\"" :
							"a mean is not identifiable in a differenced series");
		case AO_CONSTANT_DRIFT:
			if (differences == 1)
				return AO_OK;
			return bad_spec(env, 0, differences == 0 ?
							"a drift alone needs a differenced series" :
							"a drift is not identifiable in a series differenced more than once");
		case AO_CONSTANT_MEAN_DRIFT:
			if (differences == 0)
				return AO_OK;
			return bad_spec(env, 0, "a mean with drift is not identifiable in a differenced series");
	}
	return bad_spec(env, 0, "unknown kind of constant");
}

/*
 * Are orders, period and constant ones that the estimation can take?  Any
 * values may be given; AO_ORDER_TOO_LARGE comes with err.what naming the order.
 */
AoStatus
ao_spec_check(const AoSpec *spec, AoEnv *env)
{
	AoStatus	status;

	if (spec->m < 1)
		return bad_spec(env, 0, "the seasonal period must be at least 1");
	if (spec->m > AO_MAX_PERIOD)
		return too_large(env, "the seasonal period m", AO_MAX_PERIOD, spec->m);
	if (spec->is_auto)
		return AO_OK;
	if (spec->p < 0 || spec->d < 0 || spec->q < 0 ||
		spec->P < 0 || spec->D < 0 || spec->Q < 0)
		return bad_spec(env, 0, "an order cannot be negative");
	if (spec->d > AO_MAX_DIFF)
		return too_large(env, "the difference order d", AO_MAX_DIFF, spec->d);
	if (spec->D > AO_MAX_DIFF)
		return too_large(env, "the seasonal difference order D", AO_MAX_DIFF, spec->D);
	status = check_side(env, spec->p, spec->P, spec->m,
						"the autoregressive order p", "the autoregressive order p + m P");
	if (status != AO_OK)
		return status;
	status = check_side(env, spec->q, spec->Q, spec->m,
						"the moving average order q", "the moving average order q + m Q");
	if (status != AO_OK)
		return status;
	if (needs_longer_period(spec))
		return bad_spec(env, 0, "a seasonal part needs a period of at least 2, as in (0,1,1)[12]");
	if (fourier_fault(spec))
		return bad_spec(env, 0, fourier_fault(spec));
	if (spec->K > AO_MAX_FOURIER)
		return too_large(env, "the number of Fourier pairs", AO_MAX_FOURIER, spec->K);
	return check_constant(spec, env);
}

/* A text being written into a buffer that may be too short. */
typedef struct Writer
{
	char	   *buf;
	size_t		size;
	size_t		len;			/* of the whole text, also of what did not fit */
} Writer;

static void
put_char(Writer *writer, char c)
{
	if (writer->len + 1 < writer->size)
		writer->buf[writer->len] = c;
	writer->len++;
}

static void
put_text(Writer *writer, const char *text)
{
	while (*text != '\0')
		put_char(writer, *text++);
}

static void
put_number(Writer *writer, int value)
{
	char		digits[12];
	int			n = 0;
	unsigned	rest = value < 0 ? 0u - (unsigned) value : (unsigned) value;

	if (value < 0)
		put_char(writer, '-');
	do
	{
		digits[n++] = (char) ('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	while (n > 0)
		put_char(writer, digits[--n]);
}

static void
put_orders(Writer *writer, int ar, int diff, int ma)
{
	put_char(writer, '(');
	put_number(writer, ar);
	put_char(writer, ',');
	put_number(writer, diff);
	put_char(writer, ',');
	put_number(writer, ma);
	put_char(writer, ')');
}

/* The words on the constant, where it is not what the orders alone imply, and on
 * Fourier terms. */
static void
put_words(Writer *writer, const AoSpec *spec)
{
	bool		drift = spec->constant == AO_CONSTANT_DRIFT || spec->constant == AO_CONSTANT_MEAN_DRIFT;

	if (drift)
		put_text(writer, " with drift");
	if (spec->K != 0)
	{
		put_text(writer, drift ? " and fourier(" : " with fourier(");
		put_number(writer, spec->K);
		put_char(writer, ')');
	}
	if (spec->constant == AO_CONSTANT_NONE && spec->d == 0 && spec->D == 0)
		put_text(writer, " without constant");
}

/*
 * Writes the canonical text of a specification, which ao_spec_parse reads
 * back to the same one; cut to size - 1 characters and always NUL-terminated
 * if size > 0.  Gives the length of the uncut text; 128 bytes hold any.
 */
size_t
ao_spec_format(const AoSpec *spec, char *buf, size_t size)
{
	Writer		writer = {.buf = buf, .size = size};

	if (spec->is_auto)
		put_text(&writer, "auto");
	else
	{
		put_orders(&writer, spec->p, spec->d, spec->q);
		if (spec->P != 0 || spec->D != 0 || spec->Q != 0)
			put_orders(&writer, spec->P, spec->D, spec->Q);
	}
	if (spec->m != 1)
	{
		put_char(&writer, '[');
		put_number(&writer, spec->m);
		put_char(&writer, ']');
	}
	if (!spec->is_auto)
		put_words(&writer, spec);
	if (size > 0)
		buf[writer.len < size ? writer.len : size - 1] = '\0';
	return writer.len;
}
