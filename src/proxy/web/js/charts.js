// Two charts of one series, by uPlot: values with their forecasts, and the rolling
// RMSE with its threshold.  Beside each is a table with the same numbers (series.js).

import uPlot from '../vendor/uplot/uPlot.esm.js';
import {h} from './dom.js';
import {number, seconds} from './format.js';

const DAY = 86400;
const colour = name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** The same day so many months later, or the last one of that month where it is shorter. */
function monthsLater(t, months) {
	const date = new Date(t * 1000), day = date.getUTCDate();
	date.setUTCDate(1);
	date.setUTCMonth(date.getUTCMonth() + months);
	const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
	return date.setUTCDate(Math.min(day, last)) / 1000;
}

/** The sessions to come, as far as a calendar tells: for a drawing, not a promise. */
export function nextSessions(ts, calendar, n) {
	const last = ts.at(-1);
	const months = {monthly: 1, quarterly: 3}[calendar];
	if (months)
		return Array.from({length: n}, (_, i) => monthsLater(last, (i + 1) * months));
	const gaps = ts.slice(-40).slice(1).map((t, i) => t - ts.slice(-40)[i]).sort((a, b) => a - b);
	const gap = gaps[Math.floor(gaps.length / 2)] ?? DAY;
	const weekend = t => [0, 6].includes(new Date(t * 1000).getUTCDay());
	const weekdays = calendar === 'weekdays' || (calendar === 'none' && gap === DAY && !ts.slice(-40).some(weekend));
	const step = {none: gap, weekly: 7 * DAY}[calendar] ?? DAY;
	const next = [];
	for (let t = last + step; next.length < n; t += step)
		if (!weekdays || !weekend(t))
			next.push(t);
	return next;
}

/** Sessions where drift began or ended, and where another version took over. */
export function marks({checks, history}) {
	const found = [];
	checks.ts.forEach((iso, i) => {
		const same = i > 0 && checks.version[i] === checks.version[i - 1];
		if (checks.drift[i] && !(same && checks.drift[i - 1]))
			found.push({at: seconds(iso), kind: 'drift', text: 'drift'});
		if (!checks.drift[i] && same && checks.drift[i - 1])
			found.push({at: seconds(iso), kind: 'recovery', text: 'recovery'});
	});
	let before = null;
	history.ts.forEach((iso, i) => {
		const version = history.version[i];
		if (version !== null && before !== null && version !== before)
			found.push({at: seconds(iso), kind: 'version', text: `v${version}`});
		before = version ?? before;
	});
	return found;
}

/** Spans in which drift lasted, as [from, to]. */
export function driftSpans({checks}) {
	const spans = [];
	checks.ts.forEach((iso, i) => {
		if (!checks.drift[i])
			return;
		if (i > 0 && checks.drift[i - 1] && checks.version[i] === checks.version[i - 1])
			spans.at(-1)[1] = seconds(iso);
		else
			spans.push([seconds(iso), seconds(iso)]);
	});
	return spans;
}

/** Draws spans behind the lines and marks over them; a mark is a line, a sign and a word. */
function markPlugin(state) {
	const inside = (u, at) => at >= u.scales.x.min && at <= u.scales.x.max;
	const drawSpans = u => {
		const {ctx, bbox} = u;
		ctx.save();
		ctx.fillStyle = colour('drift-fill');
		for (const [from, to] of state.spans) {
			const left = Math.max(bbox.left, u.valToPos(from, 'x', true)), right = Math.min(bbox.left + bbox.width, u.valToPos(to, 'x', true));
			if (right >= left)
				ctx.fillRect(left, bbox.top, Math.max(2, right - left), bbox.height);
		}
		ctx.restore();
	};
	const drawMarks = u => {
		const {ctx, bbox} = u, ratio = devicePixelRatio;
		let free = -Infinity;
		ctx.save();
		ctx.font = `${11 * ratio}px system-ui, sans-serif`;
		ctx.textBaseline = 'top';
		ctx.textAlign = 'left';
		for (const {at, kind, text} of [...state.marks].sort((a, b) => a.at - b.at)) {
			if (!inside(u, at))
				continue;
			const x = Math.round(u.valToPos(at, 'x', true)) + 0.5, tone = colour(kind === 'drift' ? 'bad' : kind === 'recovery' ? 'good' : 'muted');
			ctx.strokeStyle = ctx.fillStyle = tone;
			ctx.lineWidth = ratio;
			ctx.setLineDash(kind === 'version' ? [2 * ratio, 4 * ratio] : []);
			ctx.globalAlpha = kind === 'version' ? 0.6 : 0.9;
			ctx.beginPath();
			ctx.moveTo(x, bbox.top);
			ctx.lineTo(x, bbox.top + bbox.height);
			ctx.stroke();
			ctx.globalAlpha = 1;
			const label = `${kind === 'drift' ? '▲ ' : kind === 'recovery' ? '▼ ' : ''}${text}`, width = ctx.measureText(label).width;
			const left = Math.min(x + 4 * ratio, bbox.left + bbox.width - width);
			if (left > free) {
				ctx.fillText(label, left, bbox.top + 3 * ratio);
				free = left + width + 6 * ratio;
			}
		}
		ctx.restore();
	};
	return {hooks: {drawAxes: [drawSpans], draw: [drawMarks]}};
}

/** Values outside the interval of their forecast, as diamonds. */
function surprisePlugin(state) {
	return {hooks: {draw: [u => {
		const {ctx} = u, size = 4 * devicePixelRatio;
		ctx.save();
		ctx.strokeStyle = colour('bad');
		ctx.fillStyle = colour('surface');
		ctx.lineWidth = 1.5 * devicePixelRatio;
		for (const [at, value] of state.outside) {
			if (at < u.scales.x.min || at > u.scales.x.max)
				continue;
			const x = u.valToPos(at, 'x', true), y = u.valToPos(value, 'y', true);
			ctx.beginPath();
			ctx.moveTo(x, y - size);
			ctx.lineTo(x + size, y);
			ctx.lineTo(x, y + size);
			ctx.lineTo(x - size, y);
			ctx.closePath();
			ctx.fill();
			ctx.stroke();
		}
		ctx.restore();
	}]}};
}

function axes() {
	const axis = {stroke: colour('muted'), font: '12px system-ui, sans-serif', grid: {stroke: colour('grid'), width: 1}, ticks: {stroke: colour('grid'), width: 1, size: 4}};
	return [{...axis, space: 72, values: [
		[365 * DAY, '{YYYY}', null, null, null, null, null, null, 1],
		[28 * DAY, '{MMM}', '\n{YYYY}', null, null, null, null, null, 1],
		[DAY, '{D} {MMM}', '\n{YYYY}', null, null, null, null, null, 1],
		[1, '{HH}:{mm}', '\n{D} {MMM} {YYYY}', null, '\n{D} {MMM}', null, null, null, 1]]}, {...axis, size: 62, values: (u, splits) => splits.map(v => number(v, 6))}];
}

const utc = ts => uPlot.tzDate(new Date(ts * 1000), 'Etc/UTC');

/**
 * A chart in a figure: focusable, read out by the arrow keys, drawn anew when the
 * colours change.  options(state) gives uPlot's; state changes with the data.
 */
export class Chart {
	constructor({label, height, options, keys, readout}) {
		Object.assign(this, {height, options, readout, plot: null, state: null});
		this.box = h('div', {class: 'chart', tabindex: '0', role: 'group', 'aria-roledescription': 'chart', 'aria-label': label, onkeydown: event => this.key(event)});
		this.box.style.height = `${height}px`;
		this.line = h('p', {class: 'readout'});
		this.spoken = h('p', {class: 'visually-hidden', 'aria-live': 'polite'});
		this.element = h('div', {}, h('ul', {class: 'keys'}, keys.map(([kind, text]) => h('li', {}, h('span', {class: `key ${kind}`, 'aria-hidden': 'true'}), text))), this.box, this.line, this.spoken);
		this.resize = new ResizeObserver(() => this.plot ? this.plot.setSize(this.size()) : this.draw());
		this.resize.observe(this.box);
		this.redraw = () => this.draw();
		addEventListener('themechange', this.redraw);
	}

	stop() {
		this.resize.disconnect();
		removeEventListener('themechange', this.redraw);
		this.plot?.destroy();
	}

	size() {
		return {width: this.box.clientWidth, height: this.height};
	}

	setState(state) {
		const zoom = this.plot && this.zoomed ? {...this.plot.scales.x} : null;
		this.state = state;
		this.draw();
		if (zoom && this.plot)
			this.plot.setScale('x', {min: zoom.min, max: zoom.max});
	}

	draw() {
		if (!this.state || this.box.clientWidth === 0)
			return;
		this.plot?.destroy();
		const {data} = this.state;
		this.plot = new uPlot({...this.size(), tzDate: utc, legend: {show: false}, axes: axes(),
			cursor: {sync: {key: 'series', scales: ['x', null]}, drag: {x: true, y: false}, points: {size: 6}, focus: {prox: -1}},
			...this.options(this.state),
			plugins: [markPlugin(this.state), surprisePlugin(this.state)],
			hooks: {setCursor: [u => this.read(u.cursor.idx ?? null)], setScale: [(u, key) => key === 'x' && (this.zoomed = u.scales.x.min > data[0][0] || u.scales.x.max < data[0].at(-1))]},
		}, data, this.box);
		this.read(null);
	}

	/** Tells of the session under the cursor, or else of the last one. */
	read(i) {
		this.line.textContent = this.readout(this.state, i ?? this.state.last);
	}

	key(event) {
		const ends = {ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity};
		if (!(event.key in ends) || !this.plot)
			return;
		event.preventDefault();
		const n = this.state.data[0].length;
		const i = Math.max(0, Math.min(n - 1, (this.plot.cursor.idx ?? this.state.last) + ends[event.key]));
		this.plot.setCursor({left: this.plot.valToPos(this.state.data[0][i], 'x'), top: this.height / 3});
		this.spoken.textContent = this.readout(this.state, i);
	}
}

/** The uPlot options of the chart of values and forecasts; see series.js for the columns. */
export function valueOptions({data}) {
	const line = (stroke, more = {}) => ({stroke: colour(stroke), width: 1.6, points: {show: false}, ...more});
	const edge = {stroke: 'transparent', width: 0, points: {show: false}};
	const few = data[0].length < 90;
	return {
		series: [{}, edge, edge, edge, edge, edge, edge, line('forecast', {width: 1.2, points: {show: few, size: 4, fill: colour('forecast')}}), line('accent', {dash: [5, 4], width: 1.8}), line('ink', {width: 1.8})],
		bands: [{series: [2, 1], fill: colour('past-fill')}, {series: [4, 3], fill: colour('fan-95')}, {series: [6, 5], fill: colour('fan-80')}],
		scales: {x: {time: true}},
	};
}

/** The uPlot options of the chart of errors. */
export function errorOptions() {
	const line = (stroke, more = {}) => ({stroke: colour(stroke), width: 1.8, points: {show: false}, ...more});
	return {
		series: [{}, line('muted', {dash: [2, 4], width: 1.4}), line('bad', {dash: [7, 4], width: 1.4}), line('accent', {width: 2})],
		scales: {x: {time: true}, y: {range: (u, low, high) => [0, (high || 1) * 1.12]}},
	};
}
