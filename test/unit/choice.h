/*
 * choice.h
 *		An automatic choice with all that it needs and gives, for unit tests.
 */
#ifndef CHOICE_H
#define CHOICE_H

#include "unit.h"

#include "auto.h"

typedef struct Choice
{
	UnitMemory	memory;
	AoEnv		env;
	AoAutoOptions bounds;
	AoFitOptions options;
	AoModel    *model;			/* out */
	AoCandidate *list;			/* out [count] */
	int			count;
} Choice;

/* Nothing chosen yet; the bounds are the defaults, to be changed. */
static inline void
choice_begin(Choice *c)
{
	memset(c, 0, sizeof *c);
	c->env = unit_env(&c->memory);
	c->bounds = ao_auto_defaults;
	c->options = (AoFitOptions) {.method = AO_ML, .choice = &c->bounds};
}

/* Gives back what was chosen; is nothing left behind? */
static inline bool
choice_end(Choice *c)
{
	if (c->list != NULL)
		c->env.free(c->env.arg, c->list);
	if (c->model != NULL)
		c->env.free(c->env.arg, c->model);
	c->list = NULL;
	c->model = NULL;
	c->count = 0;
	return c->memory.live == 0;
}

/* Chooses for y[n] with season m, in place of what was chosen before; is there a model? */
static inline bool
choice_make(Choice *c, const double *y, int64_t n, int m)
{
	(void) choice_end(c);
	return ao_choose(y, n, NULL, 0, m, &c->options, &c->env, &c->model, &c->list, &c->count) == AO_OK;
}

static inline bool
choice_same(const AoSpec *a, const AoSpec *b)
{
	return a->p == b->p && a->q == b->q && a->P == b->P && a->Q == b->Q && a->K == b->K &&
		a->d == b->d && a->D == b->D && a->constant == b->constant;
}

/* Pairs of the list that are one model, and how many of it are chosen. */
static inline void
choice_look_at_list(const Choice *c, int *twice, int *chosen)
{
	*twice = *chosen = 0;
	for (int i = 0; i < c->count; i++)
	{
		*chosen += c->list[i].chosen;
		for (int j = 0; j < i; j++)
			*twice += choice_same(&c->list[i].spec, &c->list[j].spec);
	}
}

#endif							/* CHOICE_H */
