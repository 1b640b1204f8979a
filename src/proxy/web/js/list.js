// All series in one table: sorted, filtered, each row changed only when its data do.

import {h, svg, icon, aside, replace, sql} from './dom.js';
import {HEALTH, HEALTH_ORDER, count, number, percent, session, upToThousand} from './format.js';
import {Poll} from './api.js';
import {eventList, notable} from './timeline.js';
import {go} from './route.js';

const rank = s => HEALTH_ORDER.indexOf(s.health);
/** From this share of the threshold on, errors are near it. */
export const NEAR = 0.85;

/** So many rows are laid out at once, which is more than fit on a screen; the others a few at a time, so that these need not wait. */
const ROWS_AT_ONCE = 50;

/** Columns that go where there is no room for all, in this order. */
const EXPENDABLE = ['pending', 'age', 'session', 'coverage', 'champion', 'forecast', 'recent'];

const ratio = s => s.rolling_rmse !== null && s.threshold ? s.rolling_rmse / s.threshold : null;

/** Columns: what is shown, by what it is sorted; narrow: kept on a phone. */
const COLUMNS = [
	{key: 'name', title: 'Series', value: s => s.name, cell: nameCell, header: true},
	{key: 'health', title: 'Health', value: rank, cell: s => badge(s.health)},
	{key: 'recent', title: 'Last sessions', cell: s => sparkline(s.recent)},
	{key: 'error', title: ['RMSE', h('span', {class: 'not-narrow'}, ' / threshold')], value: ratio, cell: s => [meter(s), s.skill !== null && h('small', {class: 'only-narrow'}, 'skill ', skillCell(s))], about: 'Rolling RMSE of the last labelled sessions, and the threshold above which it counts as a breach'},
	{key: 'skill', title: 'Skill', value: s => s.skill, cell: skillCell, number: true, about: 'Part of the naive forecast’s error (the value of the session before) that the champion removes, in the same sessions; below 0 it does worse'},
	{key: 'coverage', title: 'In interval', value: s => s.coverage, cell: s => percent(s.coverage, 0), number: true, wide: true, about: 'Share of values that fell into the interval of their forecast'},
	{key: 'forecast', title: 'Last forecast', value: s => s.last_forecast?.forecast ?? null, cell: forecastCell, number: true, wide: true},
	{key: 'session', title: 'Last session', value: s => s.last_session, cell: s => session(s.last_session), wide: true},
	{key: 'champion', title: 'Champion', value: s => s.spec, cell: s => s.champion === null ? '–' : [h('span', {class: 'spec'}, breakable(s.spec)), h('small', {}, `version ${s.champion}`)], wide: true},
	{key: 'age', title: 'Age', value: s => s.age, cell: s => upToThousand(s.age), number: true, wide: true, about: 'Sessions since the champion’s promotion'},
	{key: 'pending', title: 'Pending', value: s => s.pending, cell: s => upToThousand(s.pending), number: true, wide: true, about: 'Predictions whose session has not come yet'},
];

export function badge(health) {
	return h('span', {class: `badge ${health}`, title: HEALTH[health].says}, icon(health), HEALTH[health].word);
}

function nameCell(s) {
	return [h('a', {href: `#/series/${encodeURIComponent(s.name)}`}, s.name), h('span', {class: 'only-narrow'}, badge(s.health))];
}

/** Recent values as a line; a reader is told the last one. */
export function sparkline(values) {
	if (values.length < 2)
		return '–';
	const width = 104, height = 28;
	const low = Math.min(...values), range = Math.max(...values) - low || 1;
	const points = values.map((v, i) => [2 + (width - 8) * i / (values.length - 1), height - 4 - (height - 8) * (v - low) / range]);
	const [x, y] = points.at(-1);
	return svg('svg', {class: 'spark', viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': `last value ${number(values.at(-1))}`},
		svg('polyline', {points: points.map(p => p.map(c => c.toFixed(1)).join(',')).join(' ')}), svg('circle', {cx: x.toFixed(1), cy: y.toFixed(1), r: 2.6}));
}

/** The rolling RMSE as a bar on which the threshold is at two thirds. */
export function meter(s) {
	const share = ratio(s);
	if (share === null)
		return '–';
	const bar = h('span', {class: 'bar'});
	bar.style.width = `${Math.min(100, share / 1.5 * 100).toFixed(1)}%`;
	return h('span', {class: `meter ${share > 1 ? 'over' : share > NEAR ? 'near' : ''}`},
		h('span', {class: 'track', 'aria-hidden': 'true'}, bar, h('span', {class: 'limit'})),
		h('span', {class: 'figures'}, h('b', {}, number(s.rolling_rmse, 4)), aside(' of'), h('span', {class: 'slash', 'aria-hidden': 'true'}, ' / '), number(s.threshold, 4)));
}

function skillCell(s) {
	return h('span', {class: s.skill < -0.0005 ? 'negative' : ''}, percent(s.skill, 1, true));
}

function forecastCell(s) {
	const f = s.last_forecast;
	if (!f)
		return '–';
	return [number(f.forecast), f.lower !== null && h('small', {}, `${number(f.lower)} to ${number(f.upper)}`)];
}

/** A specification, which may go on in another line between its parts. */
function breakable(spec) {
	return spec.split(/(?<=\))(?=[([])/).flatMap((part, i) => i > 0 ? [h('wbr'), part] : [part]);
}

function empty() {
	return h('section', {class: 'empty'}, h('h2', {}, 'No series yet'),
		h('p', {}, 'A series is a name, its values, and a model. In the database:'),
		sql(`SELECT arima_ops.create_series('DAX', 'auto');
SELECT arima_ops.record_actuals('DAX', array_agg(day), array_agg(close)) FROM prices;
SELECT arima_ops.train('DAX');`),
		h('p', {}, 'This page shows it as soon as it is there.'));
}

/** Values without one come last, whatever the direction. */
function compare(column, down) {
	return (a, b) => {
		const x = column.value(a), y = column.value(b);
		if (x === null || y === null || x === undefined || y === undefined)
			return (x ?? null) === (y ?? null) ? 0 : (x ?? null) === null ? 1 : -1;
		const order = typeof x === 'string' ? x.localeCompare(y, 'en', {numeric: true}) : x - y;
		return down ? -order : order;
	};
}

export class ListView {
	constructor(parameters, onState) {
		this.rows = new Map();
		this.data = null;
		this.build();
		this.setParameters(parameters);
		this.poll = new Poll('api/overview', data => this.setData(data), onState);
	}

	stop() {
		this.resized.disconnect();
		cancelAnimationFrame(this.revealing);
		this.poll.stop();
	}

	build() {
		this.tiles = h('div', {class: 'tiles', role: 'group', 'aria-label': 'Filter by health'});
		this.search = h('input', {type: 'search', id: 'search', placeholder: 'Find a series', autocomplete: 'off', spellcheck: 'false',
			oninput: () => this.change({q: this.search.value})});
		this.found = h('p', {class: 'found', role: 'status'});
		this.headers = new Map(COLUMNS.map(column => [column.key, this.headerCell(column)]));
		this.body = h('tbody');
		this.table = h('table', {class: 'series-table'}, h('caption', {class: 'visually-hidden'}, 'Series and how their forecasts do; the headings sort'),
			h('thead', {}, h('tr', {}, ...this.headers.values())), this.body);
		this.box = h('div', {class: 'table-box', tabindex: '0', role: 'region', 'aria-label': 'Table of series'}, this.table);
		this.resized = new ResizeObserver(() => this.fit());
		this.resized.observe(this.box);
		this.events = h('div', {class: 'event-box'});
		this.content = h('div', {class: 'with-aside'},
			h('section', {'aria-label': 'Series', class: 'wide-section'},
				h('div', {class: 'controls'}, h('label', {for: 'search', class: 'visually-hidden'}, 'Find a series'), this.search, this.found),
				this.box),
			h('aside', {'aria-labelledby': 'latest'}, h('h2', {id: 'latest'}, 'Latest events'), this.events, h('p', {}, h('a', {href: '#/timeline'}, 'Whole timeline'))));
		this.element = h('div', {}, h('h1', {class: 'visually-hidden'}, 'Series'), this.tiles, this.content);
	}

	headerCell(column) {
		const classes = [column.wide ? 'wide' : '', column.number ? 'number' : '', column.key].join(' ').trim();
		if (!column.value)
			return h('th', {scope: 'col', class: classes}, column.title);
		return h('th', {scope: 'col', class: classes},
			h('button', {type: 'button', class: 'sort', title: column.about, onclick: () => this.sortBy(column.key)}, column.title, h('span', {class: 'arrow', 'aria-hidden': 'true'})));
	}

	/** From the address: q, health, sort (with - before it: downwards). */
	setParameters(parameters) {
		this.parameters = {q: parameters.get('q') ?? '', health: parameters.get('health') ?? '', sort: parameters.get('sort') ?? 'health'};
		if (this.search.value !== this.parameters.q)
			this.search.value = this.parameters.q;
		this.show();
	}

	change(parameters) {
		go('#/', {...this.parameters, ...parameters}, {q: '', health: '', sort: 'health'});
	}

	sortBy(key) {
		this.change({sort: this.parameters.sort === key ? `-${key}` : key});
	}

	setData(data) {
		this.data = data;
		this.show();
	}

	/** The newest events; what they tell is in the overview too, which need not wait for its turn. */
	hear(events, seen) {
		replace(this.events, eventList(notable(events).slice(0, 14), {seen}));
		if (seen !== undefined && events[0]?.id > seen)
			this.poll.now();
	}

	show() {
		if (!this.data)
			return;
		const {series} = this.data;
		if (series.length === 0) {
			replace(this.element, h('h1', {class: 'visually-hidden'}, 'Series'), empty());
			return;
		}
		if (!this.content.isConnected)
			replace(this.element, h('h1', {class: 'visually-hidden'}, 'Series'), this.tiles, this.content);
		this.showTiles(series);
		this.showRows(series);
	}

	showTiles(series) {
		const counts = Object.fromEntries(HEALTH_ORDER.map(health => [health, series.filter(s => s.health === health).length]));
		const shown = ['', ...HEALTH_ORDER.filter(health => counts[health] > 0 || health === 'drift' || health === 'good' || health === this.parameters.health)];
		const key = JSON.stringify([counts, this.parameters.health, series.length]);
		if (key === this.tilesKey)
			return;
		this.tilesKey = key;
		const focused = document.activeElement?.dataset?.health;
		replace(this.tiles, shown.map(health => h('button', {type: 'button', class: `tile ${health || 'all'}`, 'data-health': health,
			'aria-pressed': String(this.parameters.health === health), onclick: () => this.change({health: this.parameters.health === health ? '' : health})},
		h('span', {class: 'tile-number'}, number(health ? counts[health] : series.length, 6)), h('span', {class: 'tile-word'}, health && icon(health), health ? HEALTH[health].word : 'All series'))));
		if (focused !== undefined)
			this.tiles.querySelector(`[data-health="${focused}"]`)?.focus();
	}

	showRows(series) {
		const {q, health, sort} = this.parameters;
		const down = sort.startsWith('-'), column = COLUMNS.find(c => c.key === sort.replace('-', '') && c.value) ?? COLUMNS[1];
		const needle = q.trim().toLowerCase();
		const wanted = series.filter(s => (!health || s.health === health) && (!needle || s.name.toLowerCase().includes(needle) || (s.spec ?? '').toLowerCase().includes(needle)));
		wanted.sort(compare(column, down));
		for (const [key, th] of this.headers)
			key === column.key ? th.setAttribute('aria-sort', down ? 'descending' : 'ascending') : th.removeAttribute('aria-sort');
		const rows = wanted.map(s => this.row(s));
		const focused = document.activeElement;
		if (rows.length !== this.body.childNodes.length || rows.some((row, i) => row !== this.body.childNodes[i])) {
			this.reveal(rows);
			this.body.replaceChildren(...rows);
			// rows that moved lose the focus on their way
			if (this.body.contains(focused))
				focused.focus({preventScroll: true});
		}
		this.fit();
		const names = new Set(series.map(s => s.name));
		for (const name of this.rows.keys())
			names.has(name) || this.rows.delete(name);
		this.found.textContent = wanted.length === series.length ? count(series.length, 'series', 'series') : `${number(wanted.length, 8)} of ${count(series.length, 'series', 'series')}`;
	}

	/** Leaves out columns until the table fits; what is gone stays so until the width is another one, so that none comes and goes. */
	fit() {
		const width = this.box.clientWidth;
		if (width !== this.width)
			this.table.classList.remove(...EXPENDABLE.map(key => `without-${key}`));
		this.width = width;
		for (const key of EXPENDABLE) {
			if (this.box.scrollWidth <= width)
				break;
			this.table.classList.add(`without-${key}`);
		}
	}

	/** Shows the first rows now and the others bit by bit; where they are looked at they stay. */
	reveal(rows) {
		cancelAnimationFrame(this.revealing);
		// before the rows are changed: to know it the browser lays out what there is
		const top = scrollY < innerHeight;
		rows.forEach((row, i) => row.hidden = top && i >= ROWS_AT_ONCE);
		let shown = ROWS_AT_ONCE;
		const more = () => {
			for (const row of rows.slice(shown, shown += ROWS_AT_ONCE))
				row.hidden = false;
			if (shown < rows.length)
				this.revealing = requestAnimationFrame(more);
			else
				this.fit();
		};
		if (top && shown < rows.length)
			this.revealing = requestAnimationFrame(() => this.revealing = requestAnimationFrame(more));
	}

	/** The row of a series: the one there is, as long as nothing changed. */
	row(s) {
		const text = JSON.stringify(s);
		const known = this.rows.get(s.name);
		if (known?.text === text)
			return known.tr;
		const tr = known?.tr ?? h('tr');
		const focused = tr.contains(document.activeElement);
		tr.replaceChildren(...COLUMNS.map(c => h(c.header ? 'th' : 'td', {scope: c.header && 'row', class: [c.wide ? 'wide' : '', c.number ? 'number' : '', c.key].join(' ').trim()}, c.cell(s))));
		if (focused)
			tr.querySelector('a').focus();
		if (known) {
			tr.classList.remove('changed');
			void tr.offsetWidth;
			tr.classList.add('changed');
		}
		this.rows.set(s.name, {tr, text});
		return tr;
	}
}
