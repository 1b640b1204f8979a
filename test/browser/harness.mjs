// What the browser tests stand on: counting, SQL, arima_restd, pages that must stay
// without errors.

import {spawn, execFileSync} from 'node:child_process';
import {createRequire} from 'node:module';
import {existsSync} from 'node:fs';

const OUT = process.env.OUT;
const require = createRequire(`${OUT}/`);
const {chromium} = require('playwright-core');
const axeSource = require('axe-core').source;

// ---- counting ----

let passed = 0, failed = 0;

export function ok(good, name, found) {
	good ? passed++ : failed++;
	if (!good)
		console.log(`not ok - ${name}${found === undefined ? '' : `: ${typeof found === 'string' ? found : JSON.stringify(found)}`}`);
	return good;
}

export function is(found, wanted, name) {
	const [a, b] = [found, wanted].map(x => JSON.stringify(x));
	return ok(a === b, name, `found ${a}, wanted ${b}`);
}

/** A group of tests; what it throws is one failure, and the next group runs. With an argument only groups that have it in their name. */
export async function group(name, run) {
	if (process.argv[2] && !name.includes(process.argv[2]))
		return;
	const begin = Date.now();
	try {
		await run();
	} catch (error) {
		ok(false, name, error.stack);
	}
	console.log(`  ${name.padEnd(50)} ${((Date.now() - begin) / 1000).toFixed(1).padStart(6)} s`);
}

export function finish() {
	console.log(`${passed} passed, ${failed} failed`);
	process.exitCode = failed === 0 ? 0 : 1;
}

// ---- the database ----

/** Rows of a query, as objects. */
export function rows(sql, database = process.env.PGDATABASE) {
	const text = execFileSync('psql', ['-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1', '-d', database, '-c', `SELECT coalesce(json_agg(q), '[]') FROM (${sql}) AS q`],
		{encoding: 'utf8', maxBuffer: 1 << 26});
	return JSON.parse(text);
}

/** A statement, while others go on. */
export function run(sql) {
	return new Promise((resolve, reject) => {
		const child = spawn('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-c', sql], {stdio: ['ignore', 'ignore', 'inherit']});
		child.on('exit', code => code === 0 ? resolve() : reject(new Error(`${sql}: exit status ${code}`)));
	});
}

// ---- arima_restd ----

/** Starts it on a port, by default a free one; resolves when it listens. */
export function startRestd({port = 0, database = process.env.PGDATABASE, more = []} = {}) {
	const child = spawn(process.env.ARIMA_RESTD, ['--listen', `127.0.0.1:${port}`, '--database', `dbname=${database}`,
		...(process.getuid() === 0 ? ['--user', process.env.RESTD_USER] : []), ...more], {stdio: ['ignore', 'ignore', 'pipe'], cwd: '/'});
	return new Promise((resolve, reject) => {
		let log = '';
		child.stderr.on('data', data => {
			log += data;
			const listening = /"event":"listening".*"port":(\d+)/.exec(log);
			if (listening)
				resolve({port: Number(listening[1]), url: `http://127.0.0.1:${listening[1]}`, stop: () => new Promise(done => {
					child.on('exit', done);
					child.kill('SIGTERM');
				})});
		});
		child.on('exit', code => reject(new Error(`arima_restd ended with ${code}: ${log.slice(-500)}`)));
	});
}

// ---- the browser ----

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export async function startBrowser() {
	const executablePath = ['chromium', 'chromium-browser', 'google-chrome'].map(name => `/usr/bin/${name}`).find(existsSync);
	if (!executablePath)
		throw new Error('there is no Chromium: scripts/install-dependencies browser');
	return chromium.launch({executablePath, args: FLAGS});
}

/**
 * A page whose console, CSP violations, failed requests and requests to elsewhere are
 * noted; clean() tests that there were none.
 */
export async function newPage(browser, base, {width = 1400, height = 900, dark = false, ...options} = {}) {
	const context = await browser.newContext({viewport: {width, height}, colorScheme: dark ? 'dark' : 'light', ...options});
	const page = await context.newPage();
	const wrong = [];
	page.answers = [];
	await page.addInitScript(() => {
		window.violations = [];
		document.addEventListener('securitypolicyviolation', event => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
	});
	await page.addInitScript({content: axeSource});
	page.on('console', message => ['error', 'warning'].includes(message.type()) && wrong.push(`console: ${message.text()}`));
	page.on('pageerror', error => wrong.push(`error: ${error.message}`));
	page.on('request', request => request.url().startsWith(`${base}/`) || request.url().startsWith('data:') || wrong.push(`request to elsewhere: ${request.url()}`));
	page.on('response', response => page.answers.push({path: response.url().slice(base.length), status: response.status(), type: response.headers()['content-type']}));
	page.forgive = pattern => wrong.splice(0, wrong.length, ...wrong.filter(text => !pattern.test(text)));
	page.clean = async name => {
		wrong.push(...await page.evaluate(() => window.violations.splice(0)));
		is(wrong.splice(0), [], `${name}: no error in the console, no CSP violation, no request to elsewhere`);
	};
	page.open = (path, selector) => page.goto(base + path).then(() => selector && page.waitForSelector(selector));
	return page;
}

/** An accessibility audit of the page as it is. */
export async function audit(page, name) {
	const found = await page.evaluate(() => window.axe.run(document, {
		runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], resultTypes: ['violations'], preload: false, iframes: false,
	}));
	ok(found.passes.length > 15, `${name}: axe-core looked at it`, found.passes.length);
	is(found.violations.map(v => `${v.id}: ${v.nodes.slice(0, 4).map(node => node.target.join(' ')).join('; ')}`), [], `${name}: axe-core finds nothing`);
}

export async function screenshot(page, name, fullPage = false) {
	await page.screenshot({path: `${OUT}/${name}.png`, fullPage});
}

/** Resolves with the milliseconds until the condition holds in the page. */
export async function until(page, condition, argument, timeout = 10000) {
	const begin = Date.now();
	await page.waitForFunction(condition, argument, {timeout, polling: 50});
	return Date.now() - begin;
}
