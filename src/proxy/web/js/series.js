// One series: can its forecasts be trusted, what did they say, how wrong were they,
// which models were there, what happened.

import {h, replace, sql} from './dom.js';
import {HEALTH, count, number, pValue, percent, seconds, session, moment, upToThousand} from './format.js';
import {Poll} from './api.js';
import {Chart, driftSpans, errorOptions, marks, nextSessions, valueOptions} from './charts.js';
import {NEAR, badge, meter} from './list.js';
import {eventList, notable} from './timeline.js';
import {go} from './route.js';

const SPANS = [60, 120, 250, 1000];
const USUAL = '120';
const FEW = 10;		// sessions, of which no test is made

// ---- the answers ----

/** A card: a question, its answer in figures, and what it means in words. */
function card(title, tone, figure, ...words) {
	return h('li', {class: `card ${tone}`}, h('h2', {}, title), h('p', {class: 'figure'}, figure), h('p', {class: 'words'}, words));
}

/** In the prices of today, as what it is compared with; those of the versions' table are of the time of their training. */
function errorCard({state, checks}) {
	if (state.rolling_rmse === null)
		return card('Errors', '', '–', 'No labelled session of the champion yet.');
	const last = checks.version.lastIndexOf(state.champion);
	const share = state.threshold ? state.rolling_rmse / state.threshold : null;
	return card('Errors', state.drift ? 'bad' : share > NEAR ? 'warn' : 'good', meter(state),
		share === null ? 'The error at training is not known, so there is no threshold.' : `${percent(share, 0)} of the threshold. `,
		last >= 0 && share !== null ? `In its walk-forward test the RMSE was ${number(checks.reference_rmse[last], 4)}.` : '');
}

/** Against "as the session before", with a test: most differences on prices are chance. */
function skillCard({accuracy: {champion: a}}) {
	if (a.skill === null)
		return card('Against naive', '', '–', 'No labelled session of the champion yet.');
	const over = `RMSE ${number(a.rmse, 4)} against ${number(a.naive_rmse, 4)} of the naive forecast (the value before) over ${count(a.sessions, 'session')}`;
	if (a.better_p === null)
		return card('Against naive', '', percent(a.skill, 1, true), `${over}: too few, or no difference, to tell.`);
	const better = a.better_p < 0.05;
	return card('Against naive', better ? 'good' : a.better_p > 0.95 ? 'bad' : '', percent(a.skill, 1, true), `${over}: `,
		better ? h('b', {}, 'better than chance explains') : a.better_p > 0.95 ? h('b', {}, 'worse than chance explains') : h('b', {}, 'no evidence that it is better'), ` (${pValue(a.better_p)}).`);
}

/** How many of n values are expected outside, and what would still be usual (two standard deviations)? Of a few values it means nothing. */
function intervalCard({accuracy: {champion: a}}) {
	if (a.intervals === 0)
		return card('Intervals', '', '–', 'No labelled interval of the champion yet.');
	if (a.intervals < FEW)
		return card('Intervals', '', percent(a.coverage, 1), `Of ${count(a.intervals, 'value')}: too few to tell.`);
	const outside = Math.round(a.intervals * (1 - a.coverage)), expected = a.intervals * (1 - a.level);
	const unusual = Math.abs(outside - expected) > 2 * Math.sqrt(expected * a.level) + 0.5;
	return card('Intervals', unusual ? 'warn' : 'good', percent(a.coverage, 1),
		`${outside} of ${count(a.intervals, 'value')} fell outside; of intervals of ${percent(a.level, 0)} about ${number(expected, 2)} should: `,
		h('b', {}, unusual ? outside > expected ? 'intervals are too narrow' : 'intervals are too wide' : 'as it should be'), '.');
}

function biasCard({state, accuracy: {champion: a}}) {
	if (a.bias === null)
		return card('Bias', '', '–', 'No labelled session of the champion yet.');
	return card('Bias', state.biased ? 'warn' : 'good', `${a.bias > 0 ? '+' : ''}${number(a.bias, 3)}`,
		`Forecasts are on average ${a.bias > 0 ? 'above' : 'below'} the values; the Page–Hinkley test finds `, h('b', {}, state.biased ? 'a bias' : 'no bias'), '.');
}

// as arima_ops.latest_session says
const isAhead = ts => Date.parse(ts) > Date.now() + 2 * 86400e3;

function dataCard({state, calendar}) {
	return card('Data', state.stale ? 'warn' : state.last_session ? 'good' : '', session(state.last_session),
		state.last_session ? `${isAhead(state.last_session) ? 'The date is in the future: until then no value is missed' : state.stale ? 'No value since: stale by the calendar' : calendar === 'none' ? 'The last value; without a calendar it never counts as stale' : 'The last value; as its calendar expects'}. ` : 'No values yet. ',
		`${upToThousand(state.pending)} ${state.pending === 1 ? 'prediction is' : 'predictions are'} pending.`);
}

// ---- tables, also for those who do not see the charts ----

function dataTable(caption, headings, rows) {
	return h('div', {class: 'table-box', tabindex: '0', role: 'region', 'aria-label': caption},
		h('table', {class: 'data'}, h('caption', {}, caption), h('thead', {}, h('tr', {}, headings.map(text => h('th', {scope: 'col'}, text)))),
			h('tbody', {}, rows.map(row => h('tr', {}, row.map((cell, i) => h(i ? 'td' : 'th', {scope: i ? null : 'row'}, cell)))))));
}

function versionRow(v) {
	const gate = v.gate ? [`${v.gate.decision} against version ${v.gate.against}: ${v.gate.reason}`] : v.promoted_by === 'first' ? ['first model'] : ['–'];
	return h('tr', {class: v.status}, h('th', {scope: 'row'}, v.version), h('td', {}, h('span', {class: `status ${v.status}`}, v.status)), h('td', {class: 'spec'}, v.spec),
		h('td', {class: 'number'}, number(v.rmse)), h('td', {class: 'number'}, number(v.mae)), h('td', {class: 'number'}, v.mape === null ? '–' : `${number(v.mape, 3)} %`),
		h('td', {class: 'number'}, number(v.mase, 4)), h('td', {class: `number ${v.skill < -0.0005 ? 'negative' : ''}`}, percent(v.skill, 1, true)),
		h('td', {}, `${session(v.trained_to)}, ${count(v.n, 'value')}`), h('td', {class: 'gate'}, gate));
}

function versionTable(versions) {
	if (versions.length === 0)
		return h('p', {class: 'note'}, 'No model has been trained yet.');
	return h('div', {class: 'table-box', tabindex: '0', role: 'region', 'aria-label': 'Versions'}, h('table', {class: 'versions'},
		h('caption', {class: 'visually-hidden'}, 'Versions of the model with the metrics of their walk-forward evaluation'),
		h('thead', {}, h('tr', {}, ['Version', 'Status', 'Model', 'RMSE', 'MAE', 'MAPE', 'MASE', 'Skill', 'Trained to', 'Gate'].map((text, i) => h('th', {scope: 'col', class: i > 2 && i < 8 ? 'number' : null}, text)))),
		h('tbody', {}, versions.map(versionRow))));
}

// ---- charts ----

/** Columns: x, interval of the past (2), fan 95 % (2), fan 80 % (2), forecasts of the past, fan, values. */
function valueState(detail) {
	const {history, fan, calendar} = detail;
	const ts = history.ts.map(seconds), n = ts.length;
	const future = fan?.steps && n ? nextSessions(ts, calendar, fan.steps.length) : [];
	const none = (length) => Array(length).fill(null);
	const past = column => [...column, ...none(future.length)];
	// the fan opens at the last value
	const ahead = column => [...none(Math.max(0, n - 1)), ...(future.length ? [history.actual[n - 1], ...column] : n ? [null] : [])];
	const outside = ts.map((t, i) => [t, history.actual[i], history.lower[i], history.upper[i]])
		.filter(([, y, low, high]) => low !== null && high !== null && (y < low || y > high)).map(([t, y]) => [t, y]);
	return {
		data: [[...ts, ...future], past(history.lower), past(history.upper),
			...['lower_95', 'upper_95', 'lower_80', 'upper_80'].map(name => ahead(fan?.[name])), past(history.forecast), ahead(fan?.forecast), past(history.actual)],
		marks: marks(detail), spans: [], outside, last: n - 1, sessions: history.ts, n,
	};
}

function readValues({data, sessions, n}, i) {
	if (i < 0)
		return '';
	const [low, high, f95, t95, f80, t80, forecast, ahead, actual] = data.slice(1).map(column => column[i]);
	if (i >= n)
		return `${count(i - n + 1, 'session')} ahead: forecast ${number(ahead)}, 80 % interval ${number(f80)} to ${number(t80)}, 95 % interval ${number(f95)} to ${number(t95)}`;
	const error = forecast === null ? '' : `, forecast ${number(forecast)}${low === null ? '' : `, interval ${number(low)} to ${number(high)}`}, error ${number(actual - forecast, 4)}`;
	return `${session(sessions[i])}: value ${number(actual)}${error}`;
}

/** Where another version takes over the lines break. */
function errorState(detail, range) {
	const {checks} = detail;
	const columns = [[], [], [], []];
	const sessions = [];
	checks.ts.forEach((iso, i) => {
		const t = seconds(iso);
		if (i > 0 && checks.version[i] !== checks.version[i - 1]) {
			[(t + columns[0].at(-1)) / 2, null, null, null].forEach((v, c) => columns[c].push(v));
			sessions.push(null);
		}
		[t, checks.reference_rmse[i], checks.threshold[i], checks.rolling_rmse[i]].forEach((v, c) => columns[c].push(v));
		sessions.push(`${session(iso)}, version ${checks.version[i]}${checks.drift[i] ? ', in drift' : ''}`);
	});
	const last = columns[0].length - 1;
	// the same span as the chart above
	for (const t of [range[0], range[1]])
		if (last >= 0 && (t < columns[0][0] || t > columns[0].at(-1))) {
			const before = t < columns[0][0];
			[t, null, null, null].forEach((v, c) => before ? columns[c].unshift(v) : columns[c].push(v));
			before ? sessions.unshift(null) : sessions.push(null);
		}
	return {data: columns, marks: marks(detail), spans: driftSpans(detail), outside: [], last: sessions.findLastIndex(text => text !== null), sessions};
}

function readErrors({data, sessions}, i) {
	if (i < 0 || !sessions[i])
		return '';
	const [reference, threshold, rmse] = data.slice(1).map(column => column[i]);
	return `${sessions[i]}: rolling RMSE ${number(rmse)}, threshold ${number(threshold)}, at training ${number(reference)}`;
}

const VALUE_KEYS = [['actual', 'value'], ['forecast', 'forecast one step ahead'], ['past', 'its interval'], ['outside', 'value outside it'], ['ahead', 'forecast'], ['fan80', '80 %'], ['fan95', '95 %']];
const ERROR_KEYS = [['ahead solid', 'rolling RMSE'], ['threshold', 'threshold'], ['reference', 'at training'], ['drifting', 'in drift']];

// ---- the view ----

export class SeriesView {
	constructor(name, parameters, onState) {
		this.name = name;
		this.onState = error => {
			if (error?.status === 404)
				replace(this.element, h('p', {}, h('a', {href: '#/'}, '← All series')), h('h1', {}, 'No such series'), h('p', {}, `There is no series “${name}”.`));
			onState(error);
		};
		this.build();
		this.setParameters(parameters);
		this.eventPoll = new Poll(`api/events?limit=200&series=${encodeURIComponent(name)}`, ({events}) => {
			this.showEvents(events, this.known?.[0]?.id);
			this.known = events;
		}, () => {});
	}

	build() {
		const section = (title, ...content) => h('section', {class: 'panel'}, h('h2', {}, title), ...content);
		this.head = h('div', {class: 'series-head'});
		this.cards = h('ul', {class: 'cards'});
		this.spans = h('div', {class: 'segmented', role: 'group', 'aria-label': 'Sessions shown'}, SPANS.map(n => h('button', {type: 'button', 'data-sessions': n, onclick: () => go(`#/series/${encodeURIComponent(this.name)}`, {sessions: String(n)}, {sessions: USUAL})}, n)));
		this.values = new Chart({label: `Values and forecasts of ${this.name}; arrow keys read it session by session, the table below has the numbers`, height: 330, options: valueOptions, keys: VALUE_KEYS, readout: readValues});
		this.errors = new Chart({label: `Rolling RMSE of ${this.name} and its threshold; arrow keys read it session by session, the table below has the numbers`, height: 220, options: errorOptions, keys: ERROR_KEYS, readout: readErrors});
		this.valueTable = h('details', {ontoggle: () => this.showTables()}, h('summary', {}, 'The numbers as a table'));
		this.errorTable = h('details', {ontoggle: () => this.showTables()}, h('summary', {}, 'The numbers as a table'));
		this.fanNote = h('p', {class: 'note'});
		this.versions = h('div', {});
		this.events = h('div', {class: 'event-box scrolls', tabindex: '0', role: 'region', 'aria-label': 'Events'});
		this.late = h('input', {type: 'checkbox', id: 'late', onchange: () => this.showEvents(this.known ?? [])});
		this.policy = h('p', {class: 'note'});
		this.charts = h('div', {class: 'stack'},
			section('Values and forecasts', this.spans, this.values.element, this.fanNote, this.valueTable),
			section('Rolling RMSE against its threshold', this.errors.element, this.policy, this.errorTable));
		this.element = h('div', {}, this.head, this.cards, this.charts, section('Versions of the model', this.versions), section('What happened', h('label', {class: 'check', for: 'late'}, this.late, 'late values too'), this.events));
	}

	setParameters(parameters) {
		const asked = Number(parameters.get('sessions') ?? USUAL);
		const sessions = Number.isInteger(asked) && asked >= 1 && asked <= 2000 ? asked : Number(USUAL);
		if (sessions === this.sessions)
			return;
		this.sessions = sessions;
		for (const button of this.spans.children)
			button.setAttribute('aria-pressed', String(Number(button.dataset.sessions) === sessions));
		this.poll?.stop();
		this.poll = new Poll(`api/series/${encodeURIComponent(this.name)}?sessions=${sessions}&horizon=${Math.max(10, Math.min(40, Math.round(sessions / 6)))}`, detail => this.show(detail), this.onState);
	}

	stop() {
		this.poll.stop();
		this.eventPoll.stop();
		this.values.stop();
		this.errors.stop();
	}

	/** Another series may have changed: only this one's events matter here. */
	hear(events, seen) {
		if (seen !== undefined && events.some(event => event.id > seen && event.series === this.name)) {
			this.poll.now();
			this.eventPoll.now();
		}
	}

	show(detail) {
		this.detail = detail;
		const {state} = detail;
		replace(this.head, h('p', {class: 'back'}, h('a', {href: '#/'}, '← All series')),
			h('div', {class: 'title'}, h('h1', {}, this.name), badge(state.health), h('p', {}, HEALTH[state.health].says)),
			h('p', {class: 'facts'}, this.facts(detail)));
		const trained = state.champion !== null;
		this.cards.hidden = !trained;
		replace(this.cards, errorCard(detail), skillCard(detail), intervalCard(detail), biasCard(detail), dataCard(detail));
		this.charts.hidden = detail.history.ts.length === 0;
		const values = valueState(detail);
		this.values.setState(values);
		this.errors.element.closest('section').hidden = detail.checks.ts.length === 0;
		this.errors.setState(errorState(detail, [values.data[0][0], values.data[0].at(-1)]));
		this.fanNote.textContent = detail.fan?.error ? `No forecast from here: ${detail.fan.error}.` : detail.fan ? `From version ${detail.fan.version}, after ${session(detail.fan.as_of)}. Where sessions to come will lie is a guess.` : '';
		this.policy.textContent = this.policyText(detail);
		replace(this.versions, trained ? null : this.start(detail), versionTable(detail.versions));
		this.showTables();
	}

	showEvents(events, seen) {
		replace(this.events, eventList(this.late.checked ? events : notable(events), {seen, withSeries: false}));
	}

	facts({state, wanted_spec, provider, symbol, promotion_policy}) {
		return [state.champion === null ? `To be trained as ${wanted_spec}` : `Champion: version ${state.champion}, ${state.spec}, since ${moment(state.promoted_at)}, ${upToThousand(state.age)} ${state.age === 1 ? 'session' : 'sessions'} ago`,
			wanted_spec !== state.spec && state.champion !== null ? `trained as ${wanted_spec}` : null,
			provider ? `values from ${provider} as ${symbol}` : null, `promotion policy: ${promotion_policy.replace('_', ' ')}`].filter(Boolean).join(' · ');
	}

	policyText({drift_policy, drift_window, drift_multiplier, drift_consecutive}) {
		return {
			rolling_rmse: `Over ${drift_window} labelled sessions. Drift: above ${number(drift_multiplier)} times the RMSE at training for ${count(drift_consecutive, 'session')} running.`,
			cusum: `Over ${drift_window} labelled sessions. Drift is decided by a CUSUM test for errors ${number(drift_multiplier)} times as large; the threshold is for the eye.`,
			none: 'Nothing is checked for drift.',
		}[drift_policy];
	}

	start({history}) {
		return [h('p', {}, history.ts.length ? 'There are values, but no model yet:' : 'There are no values yet:'),
			sql(history.ts.length ? `SELECT arima_ops.train('${this.name.replaceAll('\'', '\'\'')}');`
				: `SELECT arima_ops.record_actuals('${this.name.replaceAll('\'', '\'\'')}', array_agg(day), array_agg(close)) FROM prices;`)];
	}

	/** Tables are long: they are made when they are opened. */
	showTables() {
		const {history, fan, checks} = this.detail ?? {};
		if (!history)
			return;
		this.fillTable(this.valueTable, () => [
			fan?.steps && dataTable('Forecast', ['Sessions ahead', 'Forecast', '80 % from', 'to', '95 % from', 'to'], fan.steps.map((step, i) =>
				[step, ...[fan.forecast, fan.lower_80, fan.upper_80, fan.lower_95, fan.upper_95].map(column => number(column[i]))])),
			dataTable('Sessions, the last one first', ['Session', 'Value', 'Forecast', 'Interval from', 'to', 'Error', 'Version'], history.ts.map((iso, i) =>
				[session(iso), number(history.actual[i]), number(history.forecast[i]), number(history.lower[i]), number(history.upper[i]),
					history.forecast[i] === null ? '–' : number(history.actual[i] - history.forecast[i], 4), history.version[i] ?? '–']).reverse())]);
		this.fillTable(this.errorTable, () => [dataTable('Checks for drift, the last one first', ['Session', 'Rolling RMSE', 'Threshold', 'At training', 'In interval', 'Drift', 'Version'],
			checks.ts.map((iso, i) => [session(iso), number(checks.rolling_rmse[i]), number(checks.threshold[i]), number(checks.reference_rmse[i]), percent(checks.coverage[i], 0), checks.drift[i] ? 'yes' : 'no', checks.version[i]]).reverse())]);
	}

	fillTable(details, make) {
		replace(details, details.firstElementChild, details.open ? make() : []);
	}
}
