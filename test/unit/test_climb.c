/*
 * test_climb.c
 *		Simulated series on which a single climb of the automatic choice ends behind the
 *		model that R's finds with the same differences.
 */
#include "choice.h"

/* Periods of 4 looked for in a cycle of 12: all effort moves the summit of the search. */
static const double orders[] = {
	979, 1278, 1207, 1392, 1269, 1313, 1155, 766, 889, 859, 813, 993, 1024, 1233, 1193, 1482, 1358,
	1348, 1246, 813, 939, 833, 919, 942, 1072, 1278, 1444, 1441, 1309, 1401, 1253, 914, 1035, 869, 920,
	1019, 1149, 1444, 1266, 1543, 1509, 1464, 1247, 989, 1025, 919, 1034, 1082, 1259, 1515, 1528, 1655,
	1653, 1578, 1415, 931, 1024, 976, 1067, 1184, 1264, 1578, 1516, 1615, 1758, 1674, 1486, 1002, 1082,
	1015, 1013, 1247, 1410, 1652, 1542, 1817, 1701, 1745, 1644, 1062, 1186, 1002, 1137, 1238, 1371,
	1747, 1650, 1825, 1781, 1869, 1690, 1079};

/* Counts around a wave of 9: the small models are much alike, and the largest is refused. */
static const double counts[] = {
	2, 8, 1, 2, 0, 5, 2, 4, 2, 4, 3, 2, 5, 1, 4, 1, 1, 5, 1, 3, 6, 2, 7, 2, 0, 2, 0, 3, 3, 5, 4, 6, 0,
	2, 2, 4, 2, 5, 4, 5, 3, 2, 0, 1, 5, 4, 4, 6, 4, 5, 1, 1, 3, 0, 2, 4, 5, 4, 1, 2, 1, 1, 5, 0, 1, 9,
	7, 5, 1, 0, 3, 4, 3, 2, 7, 6, 5, 2, 2, 0, 3, 0, 4, 4, 2, 7, 4, 3, 3, 1, 4, 3, 3, 4, 6, 1, 0, 0, 1,
	2, 3, 2, 4, 1, 2, 1, 0, 2, 1, 7, 7, 3, 2, 3, 1, 0, 4, 4, 5, 4, 6, 5, 2, 1, 3, 3, 0, 3, 5, 4, 1, 4,
	4, 1, 0, 3, 4, 2, 2, 2, 1, 2, 2, 1, 1, 8, 2, 8, 5, 1, 1, 3, 4, 5, 3, 4};

/* All effort refuses the model around which the search ends. */
static const double rounds[] = {
	987, 1077, 1427, 1450, 1514, 1233, 940, 861, 738, 662, 698, 1062, 967, 1094, 1363, 1554, 1656,
	1368, 1002, 921, 832, 773, 782, 1124, 998, 1138, 1515, 1664, 1695, 1375, 1017, 926};

/* The largest model to begin with is refused, and the first climb passes by. */
static const double wave[] = {
	99.101514, 105.336303, 108.594225, 107.945458, 104.183500, 99.295047, 97.639131, 93.140147,
	92.265390, 95.277085, 101.055720, 104.444295, 107.925430, 107.448544, 104.860018, 100.144007,
	96.542676, 93.901806, 93.265018, 95.903142, 101.411743, 107.634657, 108.633974, 109.243103,
	105.841748, 101.323671, 96.453380, 92.332752, 94.997180, 98.226384, 101.640137, 107.225639,
	109.609237, 111.535030, 105.984565, 100.211449, 97.540435, 95.003221, 94.630753};

/* The largest model to begin with is refused only when all effort is made. */
static const double late[] = {
	1, 6, 3, 5, 7, 4, 4, 0, 0, 1, 2, 4, 2, 3, 5, 7, 4, 4, 3, -2, 0, 1, 0, 3, -1, 5, 2, 2, 5, 5, 2, 1, -1,
	0, 1, 5, 1, 2, 3, 4, 3, 4, 2, 0, 0, -1, 0, 1, 3, 2, 3, 4, 4, 4, 2, 1, -1, -1, 0, 3, 5};

/* Counts around a wave of 7: the largest model is refused, and one of those just below it is far
 * better than the small ones. */
static const double sevens[] = {
	0, 6, 3, 3, 1, 0, 7, 7, 4, 1, 1, 3, 5, 3, 3, -1, 3, 6, 4, 2, -2, 1, 3, 5, 2, 2, 1, 2, 5, 5, 3, 1, 2,
	5, 5, 4, -2, 0, 3, 2};

/* A season next to one that does not change: the first climb takes models that R's
 * refuses for that, and passes by. */
static const double steady[] = {
	0, -35, 6, 20, 26, -14, 30, 52, 51, 23, 67, 66, 38, -1, 54, 61, 62, 20, 62, 83, 84, 43, 77, 80,
	71, 40, 93, 84, 74, 33, 66, 72};

/* The same, where only all effort shows that a model it passed is to be refused. */
static const double steadier[] = {
	-43, 21, -2, -21, -49, 15, 21, 7, -19, 43, 33, 18, -8, 42, 13, -3, -13, 54, 25, 1, -10, 46, 24,
	7, 0, 73, 43, 7, -17, 46, 13, -8};

/* The simplest model is better without a drift, the best one has it. */
static const double growing[] = {
	27, 37, 55, -59, 21, 52, 77, -79, 37, 47, 80, -76, 54, 48, 78, -69, 65, 39, 81, -54, 63, 44,
	92, -66};

/* So long that the search is by conditional likelihoods. */
static const double monthly[] = {
	1, 10, -10, 2, -2, 5, 32, 4, 7, -42, -20, -45, -26, -11, -25, -16, -33, -29, 24, 8, 21, -18,
	-4, -40, -22, -11, -47, -50, -56, -21, 39, 11, 1, -49, -13, -12, 9, 27, -14, -18, -32, -13, 43,
	10, -10, -59, -33, -55, -14, 2, -35, -36, -31, -14, 24, -15, -15, -57, -39, -59, -14, -18, -37,
	-33, -25, 1, 43, 9, 5, -45, -31, -62, -34, -50, -82, -65, -49, -11, 28, -13, -18, -47, -21,
	-38, 3, -14, -54, -38, -48, -27, 9, -19, -20, -64, -26, -39, -7, -28, -76, -44, -35, -4, 38,
	-3, -7, -25, 10, -1, 16, 10, -34, -55, -73, -58, -11, -22, -9, -39, -27, -40, -9, -19, -46,
	-47, -55, -31, 4, -9, -12, -64, -43, -69, -44, -37, -47, -32, -37, -16, 24, 11, 29, -5, 17, -2,
	14, 16, -17, -11, -2, 18, 47, 19, 20, -23, 1, -13, 2, -10, -29, -25, -40, -14, 25, 5, 22, -24,
	-5, -42, -18, -15, -54, -31, -34, -11, 37, 22, 20, -25, -15, -45, -11, -9, -47, -31, -33, -21,
	12, -15, -7, -35, -12, -41, -16, -22, -54, -26, -6, 29, 46, 12, 4, -36, -5, 4, 10, -3, -58,
	-39, -17, 14, 25, -11, 26, -7, 5, -21};

/* AICc of forecast::auto.arima 8.20 by default, of the model in the name; of `late` and
 * `sevens` that of Arima() of this model, which auto.arima does not find */
static const struct Hard
{
	const char *name;
	const double *y;
	int			n;
	int			m;
	double		aicc;
} hard[] = {
	{"(2,1,0)(2,0,1)[4]", orders, sizeof(orders) / sizeof(double), 4, 1135.31067248658},
	{"(4,0,1)", counts, sizeof(counts) / sizeof(double), 1, 659.956488182917},
	{"(2,0,0)", rounds, sizeof(rounds) / sizeof(double), 1, 427.787215742299},
	{"(2,0,1)", wave, sizeof(wave) / sizeof(double), 4, 153.300429294552},
	{"(3,0,1)", late, sizeof(late) / sizeof(double), 1, 254.05655411637},
	{"(3,0,0)", sevens, sizeof(sevens) / sizeof(double), 1, 168.34903503807},
	{"(0,1,1)(2,1,0)[4]", steady, sizeof(steady) / sizeof(double), 4, 203.373138},
	{"(2,0,0)(0,1,0)[4]", steadier, sizeof(steadier) / sizeof(double), 4, 211.701290},
	{"(2,0,0)(0,1,0)[4] with drift", growing, sizeof(growing) / sizeof(double), 4, 150.482028},
	{"(1,0,1)(0,1,2)[12]", monthly, sizeof(monthly) / sizeof(double), 12, 1556.025904},
};

/* The model chosen is no worse, it is the best of those tried, and each was tried once. */
static void
test_hard(const struct Hard *h)
{
	Choice		c;
	int			twice,
				chosen,
				better = 0;
	double		aic,
				aicc,
				bic;

	choice_begin(&c);
	if (!choice_make(&c, h->y, h->n, h->m))
	{
		UNIT_CHECK(false, "R's %s: chosen", h->name);
		return;
	}
	ao_model_criteria(c.model, &aic, &aicc, &bic);
	UNIT_CHECK(aicc <= h->aicc + 0.01, "R's %s: AICc %.3f, R %.3f", h->name, aicc, h->aicc);
	choice_look_at_list(&c, &twice, &chosen);
	for (int i = 0; i < c.count; i++)
		better += c.list[i].criterion < aicc - 1e-6;
	UNIT_CHECK(chosen == 1 && better == 0 && twice == 0, "R's %s: %d chosen, %d better, %d tried twice",
			   h->name, chosen, better, twice);
	UNIT_CHECK(c.count <= 94, "R's %s: %d models tried", h->name, c.count);
	UNIT_CHECK(choice_end(&c), "nothing is left behind");
}

/* How many models are tried where `most` may be, and whether the model says that it was a bound. */
static int
tried_of(int most, bool *bounded)
{
	Choice		c;
	int			count;

	choice_begin(&c);
	*bounded = false;
	c.bounds.max_models = most;
	if (!choice_make(&c, rounds, sizeof(rounds) / sizeof(double), 1))
		return -1;
	*bounded = c.model->remarks & AO_REMARK_BUDGET;
	count = c.count;
	(void) choice_end(&c);
	return count;
}

/* The bound on the number of models holds for all climbs together. */
static void
test_bound(void)
{
	bool		bounded;
	int			all = tried_of(0, &bounded);

	UNIT_CHECK(all > 14 && !bounded, "%d models tried without a bound", all);
	for (int most = 1; most <= all + 1; most++)
	{
		int			count = tried_of(most, &bounded);

		UNIT_CHECK(count == (most < all ? most : all) && bounded == (most < all),
				   "%d models at most: %d", most, count);
	}
}

int
main(void)
{
	for (int i = 0; i < (int) (sizeof hard / sizeof hard[0]); i++)
		test_hard(&hard[i]);
	test_bound();
	return unit_done();
}
