/*
 * test_budget.c
 *		Time that is over: it ends the automatic choice and an estimate at work, and is not that
 *		of the clock on the wall, which the linker (see the Makefile) replaces.
 */
#include "choice.h"

#include <time.h>

#include "internal.h"
#include "read_series.h"

/* The time of day, where somebody sets it back whenever it is asked for. */
static bool set_back;
static time_t time_of_day = 1000000000;

/* linked in place of the C library's */
int			__real_clock_gettime(clockid_t clock, struct timespec *now);
int			__wrap_clock_gettime(clockid_t clock, struct timespec *now);
int			__real_timespec_get(struct timespec *now, int base);
int			__wrap_timespec_get(struct timespec *now, int base);

int
__wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	if (!set_back || clock != CLOCK_REALTIME)
		return __real_clock_gettime(clock, now);
	*now = (struct timespec) {.tv_sec = time_of_day--};
	return 0;
}

int
__wrap_timespec_get(struct timespec *now, int base)
{
	if (!set_back)
		return __real_timespec_get(now, base);
	*now = (struct timespec) {.tv_sec = time_of_day--};
	return base;
}

/* A budget of time ends, and no model takes less than none, whatever becomes of the time of day. */
static void
test_set_back(void)
{
	static ReadSeries series;
	Choice		c;
	int			backwards = 0;

	read_series(&series, "USAccDeaths");
	choice_begin(&c);
	c.bounds.time_budget_ms = 1e-6;
	set_back = true;
	if (!choice_make(&c, series.y, series.n, 12))
		abort();
	set_back = false;
	for (int i = 0; i < c.count; i++)
		backwards += c.list[i].milliseconds < 0;
	UNIT_CHECK((c.model->remarks & AO_REMARK_BUDGET) != 0, "time of day set back: the budget ends after %d models", c.count);
	UNIT_CHECK(backwards == 0, "time of day set back: %d models in less than no time", backwards);
	(void) choice_end(&c);
}

/* A search whose time is over is ended by less work than one of the same models that is not. */
static void
test_time_over(void)
{
	Choice c;
	int count = 0;
	long polls = 0;
	bool ended = false;
	static ReadSeries series;

	read_series(&series, "USAccDeaths");
	for (double budget = 0.1; budget < 1e5 && (count < 6 || !ended); budget *= 1.5)
	{
		choice_begin(&c);
		c.bounds.time_budget_ms = budget;
		if (!choice_make(&c, series.y, series.n, 12))
			break;
		ended = (c.model->remarks & AO_REMARK_BUDGET) != 0;
		count = c.count;
		polls = c.memory.polls;
		(void) choice_end(&c);
	}
	UNIT_CHECK(count >= 6 && ended, "some models in time, not all");
	choice_begin(&c);
	c.bounds.max_models = count;
	if (choice_make(&c, series.y, series.n, 12))
		UNIT_CHECK(polls < c.memory.polls, "%d models, ended with less work: %ld polls of %ld", count, polls, c.memory.polls);
	(void) choice_end(&c);
}

/* An estimate that its deadline finds at work is what it has reached, and says that it is not the optimum. */
static void
test_deadline(void)
{
	static const AoEffort efforts[] = {AO_THOROUGH, AO_LOCAL};
	UnitMemory memory;
	AoEnv env;
	AoFitOptions options = {.method = AO_ML};
	AoSpec spec = {.p = 2, .d = 1, .q = 2, .P = 1, .D = 1, .Q = 1, .m = 12};
	double given[6] = {0.1, 0, -0.4, 0, 0, -0.6},
		loglik[3];
	long polls[3];
	static ReadSeries series;
	AoFitTask task = {.options = &options, .given = given};

	read_series(&series, "USAccDeaths");
	task.y = series.y;
	task.n = series.n;
	for (int i = 0; i < 3; i++)
	{
		AoModel *model;

		env = unit_env(&memory);
		task.effort = efforts[i == 2];
		task.deadline = i == 0 ? 0 : 1;
		if (ao_fit_task(&task, &spec, &env, &model) != AO_OK)
			continue;
		loglik[i] = model->loglik;
		polls[i] = memory.polls;
		UNIT_CHECK(((model->remarks & AO_REMARK_NOT_CONVERGED) != 0) == (i > 0), "%d: ended before the optimum", i);
		env.free(env.arg, model);
		UNIT_CHECK(memory.live == 0, "%d: nothing left behind", i);
	}
	UNIT_CHECK(20 * polls[1] < polls[0] && 20 * polls[2] < polls[0], "over: %ld and %ld polls of %ld", polls[1], polls[2], polls[0]);
	UNIT_CHECK(loglik[1] < loglik[0] - 1e-6 && loglik[2] < loglik[0] - 1e-6,
			   "over: %g and %g of %g", loglik[1], loglik[2], loglik[0]);
}

/* With gaps and a long season standard errors would take many times what is over already; elsewhere
 * they are given. */
static void
test_errors_too_late(void)
{
	static const char *const names[] = {"USAccDeaths", "co2"};
	static ReadSeries series;
	AoFitOptions options = {.method = AO_ML};
	AoSpec spec = {.d = 1, .q = 1, .D = 1, .Q = 1};

	for (int i = 0; i < 2; i++)
	{
		UnitMemory memory;
		AoEnv env = unit_env(&memory);
		double given[2][4] = {{-0.4, -0.6}, {0.1, -0.4, 0.1, -0.6}};
		AoFitTask task = {.options = &options, .given = given[i], .effort = AO_LOCAL, .deadline = 1};
		AoModel *model;

		read_series(&series, names[i]);
		spec.m = i == 0 ? 12 : 120;
		spec.p = spec.P = i;
		task.y = series.y;
		task.n = series.n;
		for (int64_t t = series.n / 2; t < series.n; t += i == 0 ? series.n : 2)
			series.y[t] = NAN;
		if (ao_fit_task(&task, &spec, &env, &model) != AO_OK)
			abort();
		UNIT_CHECK(((model->remarks & AO_REMARK_NO_COVARIANCE) != 0) == (i == 1),
				   "%s: standard errors %s", names[i], i == 0 ? "for a short season" : "left out for a long one");
		env.free(env.arg, model);
	}
}

int
main(void)
{
	test_time_over();
	test_errors_too_late();
	test_deadline();
	test_set_back();
	return unit_done();
}
