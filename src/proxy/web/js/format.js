// Numbers, moments and states in words.

const numbers = new Map();

/** So many significant digits; a dash where there is none. */
export function number(x, digits = 5) {
	if (x === null || x === undefined || !Number.isFinite(x))
		return '–';
	if (!numbers.has(digits))
		numbers.set(digits, new Intl.NumberFormat('en', {maximumSignificantDigits: digits}));
	if (x !== 0 && (Math.abs(x) >= 1e12 || Math.abs(x) < 1e-6))
		return x.toExponential(digits - 1).replace('-', '−');
	return numbers.get(digits).format(x).replace('-', '−');
}

/** A share as per cent: 0.117 is "11.7 %". */
export function percent(x, digits = 1, signed = false) {
	if (x === null || x === undefined || !Number.isFinite(x))
		return '–';
	const text = (100 * x).toFixed(digits);
	const sign = text.startsWith('-') && Number(text) !== 0 ? '−' : signed && Number(text) !== 0 ? '+' : '';
	return `${sign}${text.replace('-', '')} %`;
}

/** A session: its date, with the time where that is not midnight UTC. */
export function session(iso) {
	if (!iso)
		return '–';
	return iso.slice(11, 19) === '00:00:00' ? iso.slice(0, 10) : `${iso.slice(0, 10)} ${iso.slice(11, 16)}`;
}

/** Seconds since 1970, as charts count. */
export function seconds(iso) {
	return Date.parse(iso) / 1000;
}

const pad = n => String(n).padStart(2, '0');

/** A moment in the time of who looks; the time alone where it is today. */
export function moment(iso, now = new Date()) {
	const t = new Date(iso);
	const clock = `${pad(t.getHours())}:${pad(t.getMinutes())}:${pad(t.getSeconds())}`;
	return t.toDateString() === now.toDateString() ? clock : `${t.getFullYear()}-${pad(t.getMonth() + 1)}-${pad(t.getDate())} ${clock}`;
}

/** "1 session", "3 sessions". */
export function count(n, one, many = `${one}s`) {
	return `${number(n, 12)} ${n === 1 ? one : many}`;
}

/** What may be very much is counted up to 1,001. */
export function upToThousand(n) {
	return n > 1000 ? 'over 1,000' : number(n, 4);
}

export function pValue(p) {
	return p < 0.0001 ? 'p < 0.0001' : `p = ${p.toFixed(p < 0.01 ? 4 : 2)}`;
}

/** The states a series can be in, the worst first. */
export const HEALTH = {
	drift: {word: 'Drift', says: 'Its errors have become larger than its training led to expect: do not trust the forecasts.'},
	stale: {word: 'Stale', says: 'Values have stopped coming, or the last has a wrong date: forecasts start from old ones.'},
	biased: {word: 'Biased', says: 'Forecasts are too high, or too low, on average.'},
	no_model: {word: 'No model', says: 'There is nothing that could forecast yet.'},
	too_new: {word: 'Too new', says: 'The champion has too few labelled sessions to be judged.'},
	good: {word: 'Good', says: 'Errors are as its training led to expect.'},
	off: {word: 'Off', says: 'The jobs leave this series alone.'},
};

export const HEALTH_ORDER = Object.keys(HEALTH);

export const EVENT_WORDS = {
	drift: 'Drift', recovery: 'Recovery', promotion: 'Promotion', rollback: 'Rollback', rejection: 'Rejection', training: 'Training',
	series: 'Series', stale: 'Stale', late: 'Late values', revision: 'Revision', restatement: 'Restatement', split: 'Split', dividend: 'Dividend',
	fetch_failed: 'Fetch failed', retrain_failed: 'Retraining failed', monitoring_failed: 'Monitoring failed',
};

/** The tone of an event's mark. */
export function eventTone(kind) {
	if (kind === 'drift' || kind.endsWith('_failed'))
		return 'bad';
	if (kind === 'stale' || kind === 'rollback')
		return 'warn';
	return kind === 'promotion' || kind === 'recovery' ? 'good' : 'plain';
}
