/*
 * test_fourier.c
 *		Fourier terms against values that were computed with 30 digits from the
 *		definition, and against the sums that they must have.
 */
#include "unit.h"

/* One row of terms. */
typedef struct Row
{
	double		t;
	double		m;
	int			K;
	double		wanted[6];
} Row;

static const Row rows[] = {
	{1, 12, 3, {0.5, 0.8660254037844386, 0.8660254037844386, 0.5, 1, 0}},
	{5, 12, 3, {0.5, -0.8660254037844386, -0.8660254037844386, 0.5, 1, 0}},
	{144, 12, 3, {0, 1, 0, 1, 0, 1}},
	{7, 7, 3, {0, 1, 0, 1, 0, 1}},
	{-3, 52, 2, {-0.35460488704253562, 0.93501624268541483, -0.66312265824079519, 0.74851074817110108}},
	{1, 365.25, 3, {0.017201575418260506, 0.99985204195577349, 0.034398060613608013, 0.99940821160625981, 0.051584366869408371, 0.99866864028799973}},
	{2000, 365.25, 3, {0.15207910943934586, -0.9883683242962289, -0.30062034911405811, 0.95374388894427098, 0.44216815196707204, -0.89693217435100647}},
	{9999999, 365.25, 3, {-0.032248952289304217, -0.99947986726909221, 0.064464357107362133, 0.99792001015248433, -0.096612701881203106, -0.99532205131566021}},
	{123456789012, 168, 2, {0.7818314824680298, -0.62348980185873348, -0.97492791218182362, -0.22252093395631439}},
	{2.5, 24, 2, {0.60876142900872066, 0.79335334029123517, 0.96592582628906831, 0.25881904510252074}}};

static void
test_values(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
	{
		double		row[6];
		int			columns = ao_fourier_columns(rows[i].m, rows[i].K);

		ao_fourier_row(rows[i].t, rows[i].m, rows[i].K, row);
		for (int c = 0; c < columns; c++)
			UNIT_NEAR(row[c], rows[i].wanted[c], 4e-16, "t %g, m %g, K %d: column %d", rows[i].t,
					  rows[i].m, rows[i].K, c + 1);
	}
}

static void
test_columns(void)
{
	UNIT_CHECK(ao_fourier_columns(12, 5) == 10, "two columns a pair");
	UNIT_CHECK(ao_fourier_columns(12, 6) == 11, "the sine of the last pair is left out where it is zero");
	UNIT_CHECK(ao_fourier_columns(2, 1) == 1, "a season of two has one column");
	UNIT_CHECK(ao_fourier_columns(365.25, 3) == 6, "a season that is no whole number");
}

/* All terms of a whole season are orthogonal to each other and to a constant. */
static void
test_orthogonal(void)
{
	enum
	{
		M = 24,
		COLUMNS = M - 1
	};
	double		row[COLUMNS];
	double		cross[COLUMNS + 1][COLUMNS] = {{0}};
	double		worst = 0;

	for (int t = 101; t < 101 + M; t++)
	{
		ao_fourier_row(t, M, M / 2, row);
		for (int a = 0; a <= COLUMNS; a++)
			for (int b = 0; b < COLUMNS; b++)
				cross[a][b] += (a < COLUMNS ? row[a] : 1) * row[b];
	}
	for (int a = 0; a <= COLUMNS; a++)
		for (int b = 0; b < COLUMNS; b++)
			worst = fmax(worst, fabs(cross[a][b] - (a == b ? (a < COLUMNS - 1 ? M / 2 : M) : 0)));
	UNIT_NEAR(worst, 0, 1e-13, "terms of a whole season are orthogonal");
}

int
main(void)
{
	test_values();
	test_columns();
	test_orthogonal();
	return unit_done();
}
