// What happened, in words: beside the list, for one series, and as a view of its own.

import {h, replace, time} from './dom.js';
import {EVENT_WORDS, eventTone, moment} from './format.js';
import {Poll} from './api.js';
import {go} from './route.js';

function eventItem(event, {seen, withSeries = true}) {
	const fresh = seen !== undefined && event.id > seen;
	return h('li', {class: `event ${eventTone(event.kind)}${fresh ? ' fresh' : ''}`, 'data-id': event.id, 'data-kind': event.kind},
		h('span', {class: 'event-mark', 'aria-hidden': 'true'}),
		h('p', {class: 'event-head'}, h('span', {class: 'event-kind'}, EVENT_WORDS[event.kind] ?? event.kind),
			withSeries && event.series && h('a', {href: `#/series/${encodeURIComponent(event.series)}`}, event.series), time(event.at, moment(event.at))),
		h('p', {class: 'event-what'}, event.what));
}

/** Without what happens every day: values that came later than others. */
export function notable(events) {
	return events.filter(event => event.kind !== 'late');
}

/** A list of events, the newest first; those after the id "seen" are marked as new. */
export function eventList(events, options = {}) {
	if (events.length === 0)
		return h('p', {class: 'note'}, 'Nothing has happened yet.');
	return h('ol', {class: 'events', reversed: true}, events.map(event => eventItem(event, options)));
}

export class TimelineView {
	constructor(parameters, onState) {
		this.onState = onState;
		this.list = h('div', {});
		this.kind = h('select', {id: 'kind', onchange: () => go('#/timeline', {kind: this.kind.value}, {kind: ''})},
			h('option', {value: ''}, 'All but late values'), Object.entries(EVENT_WORDS).map(([kind, word]) => h('option', {value: kind}, word)));
		this.element = h('section', {class: 'narrow'}, h('h1', {}, 'Timeline'),
			h('div', {class: 'controls'}, h('label', {for: 'kind'}, 'Show'), this.kind), this.list);
		this.setParameters(parameters);
	}

	setParameters(parameters) {
		const kind = parameters.get('kind') ?? '';
		if (this.wanted === kind)
			return;
		this.wanted = this.kind.value = kind;
		this.seen = undefined;
		this.poll?.stop();
		this.poll = new Poll(`api/events?limit=300${kind && `&kind=${encodeURIComponent(kind)}`}`, ({events}) => {
			replace(this.list, eventList(kind ? events : notable(events), {seen: this.seen}));
			this.seen = events[0]?.id ?? 0;
		}, this.onState);
	}

	stop() {
		this.poll.stop();
	}
}
