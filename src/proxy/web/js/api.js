// What is asked of the server: again and again, with the ETag of the last answer.

const LEAST = 2000;         // usual milliseconds from one question to the next
const SHARE = 5;            // an answer that took long is asked for more rarely
const TIMEOUT = 10000;
const TOKEN = 'arima_restd token';

export class ApiError extends Error {
	constructor(status, detail) {
		super(detail);
		this.status = status;
	}
}

export function setToken(token) {
	sessionStorage.setItem(TOKEN, token);
}

export function hasToken() {
	return sessionStorage.getItem(TOKEN) !== null;
}

function headers(etag) {
	const token = sessionStorage.getItem(TOKEN);
	return {...(etag && {'If-None-Match': etag}), ...(token && {Authorization: `Bearer ${token}`})};
}

async function detailOf(response) {
	try {
		const {detail} = await response.json();
		return typeof detail === 'string' ? detail : detail[0].msg;
	} catch {
		return response.statusText || `status ${response.status}`;
	}
}

/**
 * A question that is asked until stop() is called.  onData gets each new answer;
 * onState hears of every answer, the same as before or not, and of every failure.
 */
export class Poll {
	constructor(path, onData, onState, least = LEAST) {
		Object.assign(this, {path, onData, onState, least, etag: null, timer: 0, stopped: false, asking: null, again: false});
		this.wake = () => document.hidden || this.now();
		document.addEventListener('visibilitychange', this.wake);
		this.now();
	}

	stop() {
		this.stopped = true;
		clearTimeout(this.timer);
		this.asking?.abort();
		document.removeEventListener('visibilitychange', this.wake);
	}

	/** Asks at once, or once more as soon as the answer that is under way is there: that one may be of before. */
	now() {
		clearTimeout(this.timer);
		if (this.asking)
			this.again = true;
		else if (!this.stopped)
			this.ask();
	}

	async ask() {
		const begin = performance.now();
		const asking = this.asking = new AbortController();
		const limit = setTimeout(() => asking.abort(), TIMEOUT);
		try {
			await this.exchange(asking.signal);
			if (!this.stopped)
				this.onState(null);
		} catch (error) {
			if (!this.stopped)
				this.onState(error);
		}
		clearTimeout(limit);
		this.asking = null;
		// who does not look needs no answers; the first look asks again
		if (!this.stopped && !document.hidden)
			this.timer = setTimeout(() => this.now(), this.again ? 0 : Math.max(this.least, SHARE * (performance.now() - begin)));
		this.again = false;
	}

	async exchange(signal) {
		const response = await fetch(this.path, {headers: headers(this.etag), signal, cache: 'no-store', credentials: 'same-origin'});
		if (response.status === 304)
			return;
		if (!response.ok)
			throw new ApiError(response.status, await detailOf(response));
		const data = await response.json();
		this.etag = response.headers.get('ETag');
		if (!this.stopped)
			this.onData(data);
	}
}
