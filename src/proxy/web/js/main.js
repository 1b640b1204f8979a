// The frame of the page: which view, whether the server answers, the jobs, the theme, the token.

import {h, announce, icon, replace, time} from './dom.js';
import {EVENT_WORDS, moment} from './format.js';
import {Poll, hasToken, setToken} from './api.js';
import {route} from './route.js';
import {ListView} from './list.js';
import {SeriesView} from './series.js';
import {TimelineView} from './timeline.js';

const element = id => document.getElementById(id);
const main = element('main');
let shown = null;
let current = {};

// ---- views ----

const TITLES = {list: () => 'Series', series: ({name}) => name, timeline: () => 'Timeline'};

function makeView({view, name, parameters}) {
	switch (view) {
		case 'series': return new SeriesView(name, parameters, answered);
		case 'timeline': return new TimelineView(parameters, answered);
		default: return new ListView(parameters, answered);
	}
}

function show(first) {
	const wanted = route();
	if (shown && wanted.view === current.view && wanted.name === current.name) {
		shown.setParameters(wanted.parameters);
		return;
	}
	shown?.stop();
	current = wanted;
	shown = makeView(wanted);
	replace(main, shown.element);
	if (events)
		shown.hear?.(events, undefined);
	document.title = `${TITLES[wanted.view](wanted)} – arima_ops`;
	for (const link of document.querySelectorAll('[data-nav]'))
		link.dataset.nav === (wanted.view === 'timeline' ? 'timeline' : 'list') ? link.setAttribute('aria-current', 'page') : link.removeAttribute('aria-current');
	if (!first) {
		scrollTo(0, 0);
		main.focus({preventScroll: true});
		announce(`${TITLES[wanted.view](wanted)} is shown`);
	}
}

// ---- does the server answer? ----

let lastAnswer = null;
let failing = false;

/** Every poll tells here how it went; null: an answer came. */
function answered(error) {
	if (error?.status === 401) {
		askToken(error);
		return;
	}
	if (error && error.status === 404)
		return;
	failing = Boolean(error);
	if (!error)
		lastAnswer = new Date();
	const since = lastAnswer ? `The last answer came at ${moment(lastAnswer)}; what is shown is of then.` : 'There has been no answer yet.';
	const why = !error ? '' : error.status ? `The server answers “${error.message}”.` : 'The server cannot be reached.';
	setLive(failing ? 'down' : 'up', failing ? (lastAnswer ? `No answer since ${moment(lastAnswer)}` : 'No answer') : `Live · ${moment(lastAnswer)}`);
	const trouble = element('trouble');
	const text = failing ? `${why} ${since} It is asked again every two seconds.` : '';
	if (trouble.textContent !== text)
		trouble.textContent = text;
	trouble.hidden = !failing;
}

function setLive(state, text) {
	const live = element('live');
	live.dataset.state = state;
	// a clock that ticks is for the eye: a reader is told of changes only
	live.setAttribute('aria-live', live.dataset.told === state ? 'off' : 'polite');
	live.dataset.told = state;
	if (element('live-text').textContent !== text)
		element('live-text').textContent = text;
}

// ---- events: for the view, and for the ear ----

let events = null;

function hear(answer) {
	const seen = events ? events[0]?.id ?? 0 : undefined;
	const fresh = seen === undefined ? [] : answer.events.filter(event => event.id > seen);
	events = answer.events;
	shown.hear?.(events, seen);
	if (fresh.length > 0)
		announce(fresh.length === 1 ? `${EVENT_WORDS[fresh[0].kind] ?? fresh[0].kind}, ${fresh[0].series ?? ''}: ${fresh[0].what}` : `${fresh.length} new events`);
}

// ---- jobs ----

function job({job: name, status, started_at, finished_at, done, total, error}) {
	const text = status === null ? 'has not run' : status === 'running' ? `running, ${done} of ${total ?? '?'}` : status;
	return h('li', {class: `job ${status ?? 'never'}`, title: error}, h('span', {class: 'job-mark', 'aria-hidden': 'true'}), h('b', {}, name), ` ${text}`,
		(finished_at ?? started_at) && [' ', time(finished_at ?? started_at, moment(finished_at ?? started_at))]);
}

function showJobs({jobs}) {
	replace(element('jobs'), h('h2', {}, 'Jobs'), h('ul', {}, jobs.map(job)));
}

// ---- the token ----

const dialog = element('token-dialog');

function askToken(error) {
	if (dialog.open)
		return;
	element('token-why').textContent = hasToken() ? `The server does not take this token: ${error.message}.` : 'This server answers only those who have a bearer token.';
	element('token').value = '';
	dialog.showModal();
}

element('token-form').addEventListener('submit', submitted => {
	submitted.preventDefault();
	setToken(element('token').value.trim());
	location.reload();
});

// ---- the theme ----

const THEMES = ['auto', 'light', 'dark'];
const theme = () => document.documentElement.dataset.chosen;

function showTheme() {
	element('theme').firstElementChild.replaceWith(icon(theme()));
	element('theme-text').textContent = `Colours: ${{auto: 'as the system', light: 'light', dark: 'dark'}[theme()]}. Change`;
	element('theme').title = element('theme-text').textContent;
}

element('theme').addEventListener('click', () => {
	const next = THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length];
	document.documentElement.dataset.chosen = next;
	dispatchEvent(new Event('themechosen'));
	try {
		localStorage.setItem('theme', next);
	} catch { /* storage may be forbidden */ }
	showTheme();
});

// the address of the view is in the fragment, so a link cannot also lead to an element
element('skip').addEventListener('click', clicked => {
	clicked.preventDefault();
	main.focus();
});

showTheme();
show(true);
addEventListener('hashchange', () => show(false));
new Poll('api/events?limit=100', hear, () => {});
new Poll('api/jobs', showJobs, () => {}, 10000);
