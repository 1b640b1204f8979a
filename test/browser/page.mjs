// The page shows what the tables say, reacts to what happens, and can be used by
// keyboard, with a screen reader, on a phone, by day and by night.

import {audit, finish, group, is, newPage, ok, rows, run, screenshot, startBrowser, startRestd, until} from './harness.mjs';
import {createHash} from 'node:crypto';
import {chmodSync, writeFileSync, readFileSync} from 'node:fs';

// the page's own way to write numbers, as a module for any Node (see run)
const {number, percent, session, upToThousand} = await import(`${process.env.OUT}/format.mjs`);

const ODD = 'SMI 2/3 "ä" <b>';
const restd = await startRestd();
const browser = await startBrowser();
const open = options => newPage(browser, restd.url, options);
const text = (page, selector) => page.locator(selector).first().innerText();
const column = (page, key) => page.locator(`.series-table tbody .${key}`).allInnerTexts();
// opens the table of a chart, which is filled by the event that follows
const unfold = async (page, i) => {
	await page.locator('summary').nth(i).click();
	await page.locator('details').nth(i).locator('tbody tr').first().waitFor();
};
const row = (page, name) => page.locator('.series-table tbody tr').filter({has: page.getByRole('link', {name, exact: true})});

await group('list: what the tables say', async () => {
	const page = await open({width: 1900});
	await page.open('/', '.series-table tbody tr');
	const wanted = rows('SELECT m.*, s.drift_min_labels FROM arima_ops.monitoring AS m JOIN arima_ops.series AS s ON s.name = m.series ORDER BY series');
	is((await column(page, 'name')).map(name => name.split('\n')[0]).sort(), wanted.map(m => m.series).sort(), 'every series has a row');
	for (const m of wanted) {
		const cells = row(page, m.series);
		const cell = key => cells.locator(`.${key}`).first().innerText();
		const health = !m.active ? 'Off' : m.champion === null ? 'No model' : m.drift ? 'Drift' : m.stale ? 'Stale' : m.biased ? 'Biased' : (m.labels ?? 0) < m.drift_min_labels ? 'Too new' : 'Good';
		is(await cell('health'), health, `${m.series}: health`);
		is((await cell('error')).replace(/\s+/g, ' ').replace(' of', '').split(' skill')[0], m.rolling_rmse === null ? '–' : `${number(m.rolling_rmse, 4)} / ${number(m.threshold, 4)}`, `${m.series}: rolling RMSE and threshold`);
		is(await cell('skill'), percent(m.skill, 1, true), `${m.series}: skill`);
		is(await cell('coverage'), percent(m.coverage, 0), `${m.series}: coverage`);
		is(await cell('session'), session(m.last_session), `${m.series}: last session`);
		is((await cell('champion')).split('\n'), m.champion === null ? ['–'] : [m.spec, `version ${m.champion}`], `${m.series}: champion`);
		is([await cell('age'), await cell('pending')], [upToThousand(m.age), upToThousand(m.pending)], `${m.series}: age, pending`);
	}
	is([...new Set(wanted.map(m => m.series))].length, 8, 'there are eight series');
	const states = await column(page, 'health');
	is(states.slice().sort(), ['Good', 'Good', 'Good', 'Good', 'No model', 'Off', 'Stale', 'Too new'], 'in these states');
	const last = rows(`SELECT p.forecast, p.lower, p.upper FROM arima_ops.predictions AS p WHERE series = 'CAC' ORDER BY id DESC LIMIT 1`)[0];
	is((await row(page, 'CAC').locator('.forecast').innerText()).split('\n'), [number(last.forecast), `${number(last.lower)} to ${number(last.upper)}`], 'the last forecast');
	is(await page.locator('b, i').filter({hasText: 'SMI'}).count(), 0, 'a name with < is text');
	const jobs = rows('SELECT DISTINCT ON (job) job, status FROM arima_ops.job_runs ORDER BY job, id DESC');
	for (const {job, status} of jobs)
		ok((await text(page, '#jobs')).includes(`${job} ${status}`), `job ${job} ${status}`);
	ok(jobs.length >= 3, 'jobs have run', jobs);
	await page.clean('list');
	await page.context().close();
});

await group('list: order, filter, address', async () => {
	const page = await open();
	await page.open('/', '.series-table tbody tr');
	is((await column(page, 'health')).slice(0, 3), ['Stale', 'No model', 'Too new'], 'the worst come first');
	await page.getByRole('button', {name: 'Skill'}).click();
	const skills = rows('SELECT skill FROM arima_ops.monitoring WHERE skill IS NOT NULL ORDER BY skill').map(m => percent(m.skill, 1, true));
	is((await column(page, 'skill')).slice(0, skills.length), skills, 'sorted by skill, those without last');
	await page.getByRole('button', {name: 'Skill'}).click();
	is((await column(page, 'skill')).slice(0, skills.length), skills.slice().reverse(), 'and downwards, those without last again');
	is(await page.locator('th[aria-sort]').evaluateAll(all => all.map(th => `${th.innerText.trim()} ${th.ariaSort}`)), ['Skill descending'], 'the heading tells');
	await page.locator('.tile.good').click();
	is([...new Set(await column(page, 'health'))], ['Good'], 'a tile filters');
	await page.fill('#search', 'smi');
	is((await column(page, 'name')).length, 1, 'and so does the search');
	const address = page.url();
	ok(/sort=-skill/.test(address) && /health=good/.test(address) && /q=smi/.test(address), 'all is in the address', address);
	await page.goto('about:blank');
	await page.goto(address);
	await page.waitForSelector('.series-table tbody tr');
	is([(await column(page, 'name')).length, await page.inputValue('#search')], [1, 'smi'], 'and comes back from there');
	await page.clean('order and filter');
	await page.context().close();
});

await group('one series: after a split, and of few sessions', async () => {
	const page = await open();
	await page.open('/#/series/young', '.card');
	const [reference] = rows(`SELECT reference_rmse * adjustment AS today, reference_rmse AS before FROM arima_ops.models WHERE series = 'young' AND status = 'champion'`);
	const errors = await page.locator('.card').first().innerText();
	ok(errors.includes(`the RMSE was ${number(reference.today, 4)}.`) && reference.today === reference.before / 4, 'the RMSE of its training is in the prices of today', errors);
	ok((await page.locator('.card').nth(2).innerText()).includes('Of 3 values: too few to tell.'), 'three intervals tell nothing');
	await page.open('/#/timeline', '.event');
	ok(/Series\s+gone\s+[\d:]+\s+series dropped/.test(await page.locator('main').innerText()), 'a series that went is no new one');
	await page.clean('after a split');
	await page.context().close();
});

await group('one series: what the tables say', async () => {
	const page = await open({height: 1200});
	await page.open('/#/series/DAX', '.card');
	const [m] = rows(`SELECT * FROM arima_ops.monitoring WHERE series = 'DAX'`);
	is(await text(page, 'h1'), 'DAX', 'the name');
	const cards = await page.locator('.card .figure').allInnerTexts();
	is(cards[0].replace(/\s+/g, ' ').replace(' of', ''), `${number(m.rolling_rmse, 4)} / ${number(m.threshold, 4)}`, 'rolling RMSE against threshold');
	// the same figures by another way: one prediction a session of the champion since its promotion
	const [a] = rows(`WITH h AS (SELECT DISTINCT ON (p.target_ts) p.target_ts, p.actual, p.forecast, p.lower, p.upper,
			(SELECT b.value FROM arima_ops.actuals AS b WHERE b.series = 'DAX' AND b.ts < p.target_ts ORDER BY b.ts DESC LIMIT 1) AS naive
		FROM arima_ops.predictions AS p JOIN arima_ops.models AS c ON c.series = p.series AND c.version = p.version AND c.status = 'champion' AND p.target_ts > c.champion_from
		WHERE p.series = 'DAX' AND p.horizon = 1 AND p.target_ts IS NOT NULL ORDER BY p.target_ts, p.id DESC)
	SELECT 1 - sqrt(avg((actual - forecast) ^ 2)) / sqrt(avg((actual - naive) ^ 2)) AS skill, avg((actual BETWEEN lower AND upper)::int)::float8 AS coverage, avg(forecast - actual) AS bias, count(*) AS n,
		(arima_diebold_mariano_test(array_agg(actual - naive ORDER BY target_ts), array_agg(actual - forecast ORDER BY target_ts), alternative => 'greater')).p_value AS p FROM h`);
	is(cards[1], percent(a.skill, 1, true), 'skill of the champion since its promotion');
	is(cards[2], percent(a.coverage, 1), 'coverage');
	is(cards[3], `${a.bias > 0 ? '+' : ''}${number(a.bias, 3)}`, 'bias');
	const words = await page.locator('.card').nth(1).innerText();
	ok(words.includes(`over ${a.n} sessions`) && words.includes(a.p < 0.0001 ? 'p < 0.0001' : `p = ${a.p.toFixed(a.p < 0.01 ? 4 : 2)}`), 'and whether that is chance', words);
	ok((await text(page, '.facts')).includes(`version ${m.champion}, ${m.spec}`), 'the champion');
	ok((await page.locator('.card').nth(2).innerText()).includes(' fell outside; of intervals of 95 % '), 'and whether as many fell outside as should');

	await unfold(page, 0);
	const cells = await page.locator('details').first().locator('table').evaluateAll(tables => tables.map(table => [...table.tBodies[0].rows].map(tr => [...tr.cells].map(td => td.innerText))));
	const history = rows(`SELECT a.ts, a.value, p.forecast, p.lower, p.upper, p.version FROM (SELECT * FROM arima_ops.actuals WHERE series = 'DAX' ORDER BY ts DESC LIMIT 120) AS a
		LEFT JOIN LATERAL (SELECT * FROM arima_ops.predictions AS q WHERE q.series = 'DAX' AND q.target_ts = a.ts AND q.horizon = 1 ORDER BY q.id DESC LIMIT 1) AS p ON true ORDER BY a.ts DESC`);
	is(cells[1], history.map(h => [session(h.ts), number(h.value), number(h.forecast), number(h.lower), number(h.upper), h.forecast === null ? '–' : number(h.value - h.forecast, 4), String(h.version ?? '–')]), '120 sessions, each number');
	const ahead = rows(`SELECT w.step, w.forecast, n.lower AS l80, n.upper AS u80, w.lower AS l95, w.upper AS u95 FROM arima_api.forecast('DAX', 20, 0.95) AS w JOIN arima_api.forecast('DAX', 20, 0.8) AS n USING (step) ORDER BY step`);
	is(cells[0], ahead.map(f => [String(f.step), ...[f.forecast, f.l80, f.u80, f.l95, f.u95].map(x => number(x))]), '20 sessions ahead, each number');
	await unfold(page, 1);
	const checks = await page.locator('details').nth(1).locator('tbody tr').evaluateAll(all => all.map(tr => [...tr.cells].map(td => td.innerText)));
	is(checks, rows(`SELECT * FROM arima_ops.drift_checks WHERE series = 'DAX' AND ts >= '${history.at(-1).ts}' ORDER BY ts DESC`)
		.map(c => [session(c.ts), number(c.rolling_rmse), number(c.threshold), number(c.reference_rmse), percent(c.coverage, 0), c.drift ? 'yes' : 'no', String(c.version)]), 'each check for drift');
	ok(checks.some(c => c[5] === 'yes') && checks.some(c => c[5] === 'no'), 'some in drift, some not');
	const versions = await page.locator('.versions tbody tr').evaluateAll(all => all.map(tr => [...tr.cells].slice(0, 8).map(td => td.innerText)));
	is(versions, rows(`SELECT * FROM arima_ops.leaderboard WHERE series = 'DAX' ORDER BY version DESC`)
		.map(v => [String(v.version), v.status === 'champion' ? 'champion' : v.status, v.spec, number(v.rmse), number(v.mae), `${number(v.mape, 3)} %`, number(v.mase, 4), percent(v.skill, 1, true)]), 'each version with its metrics');
	await page.locator('#late').check();
	const events = rows(`SELECT what FROM arima_ops.timeline WHERE series = 'DAX' ORDER BY id DESC LIMIT 200`).map(e => e.what);
	is(await page.locator('.panel .event-what').allInnerTexts(), events, 'every event');
	await page.locator('#late').uncheck();
	is(await page.locator('.panel .event-what').count(), rows(`SELECT count(*) FROM arima_ops.events WHERE series = 'DAX' AND kind <> 'late'`)[0].count, 'those without late values');
	await page.clean('one series');
	await page.context().close();
});

await group('charts', async () => {
	const page = await open();
	await page.open('/#/series/DAX', '.u-over');
	const painted = () => page.locator('.chart canvas').evaluateAll(all => all.map(canvas => {
		const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
		const colours = new Set();
		for (let i = 0; i < data.length; i += 4)
			if (data[i + 3] > 200)
				colours.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
		return colours.size;
	}));
	ok((await painted()).every(n => n > 20), 'both are painted in many colours', await painted());
	const chart = page.locator('.chart').first();
	await chart.focus();
	await page.keyboard.press('End');
	const [fan] = rows(`SELECT * FROM arima_api.forecast('DAX', 20) WHERE step = 20`);
	const last = await text(page, '.readout');
	ok(last.startsWith('20 sessions ahead') && last.includes(`95 % interval ${number(fan.lower)} to ${number(fan.upper)}`), 'End reads the end of the fan', last);
	await page.keyboard.press('Home');
	const [first] = rows(`SELECT * FROM (SELECT * FROM arima_ops.actuals WHERE series = 'DAX' ORDER BY ts DESC LIMIT 120) AS a ORDER BY ts LIMIT 1`);
	ok((await text(page, '.readout')).startsWith(`${session(first.ts)}: value ${number(first.value)}`), 'Home the first session', await text(page, '.readout'));
	await page.keyboard.press('ArrowRight');
	is(await page.locator('.chart').first().evaluate(box => box.parentElement.querySelector('[aria-live]').textContent === box.parentElement.querySelector('.readout').textContent), true, 'and a reader hears it');
	await page.getByRole('button', {name: '250', exact: true}).click();
	ok(page.url().endsWith('#/series/DAX?sessions=250'), 'the number of sessions is in the address', page.url());
	await page.locator('summary').first().click();
	await until(page, () => document.querySelectorAll('details')[0].querySelectorAll('table')[1]?.tBodies[0].rows.length === 250);
	ok(true, '250 sessions are shown');
	page.forgive(/willReadFrequently/);
	await page.clean('charts');
	await page.context().close();
});

await group('addresses that are hard', async () => {
	const page = await open();
	await page.open(`/#/series/${encodeURIComponent(ODD)}`, '.card');
	is([await text(page, 'h1'), await page.title()], [ODD, `${ODD} – arima_ops`], 'a name with slash, quotes, umlaut and markup');
	await page.goto(`${restd.url}/#/`);
	await page.getByRole('link', {name: ODD}).first().click();
	await page.waitForSelector('.card');
	is(await text(page, 'h1'), ODD, 'also by its link');
	await page.waitForSelector('.panel .event');
	is(await page.locator('.panel .event-what').allInnerTexts(), rows(`SELECT what FROM arima_ops.timeline WHERE series = '${ODD}' ORDER BY id DESC`).map(e => e.what), 'with its events');
	await page.goto(`${restd.url}/#/series/without%20model`);
	await page.waitForSelector('pre');
	ok((await text(page, 'pre')).includes(`arima_ops.record_actuals('without model'`), 'a series without values says what to do');
	await page.goto(`${restd.url}/#/series/nobody`);
	await page.waitForSelector('h1:text("No such series")');
	page.forgive(/404/);
	await page.goto(`${restd.url}/#/series/%E0%A4%A`);
	await page.waitForSelector('.series-table tbody tr');
	await page.goto(`${restd.url}/#/timeline?kind=promotion`);
	await page.waitForSelector('.event');
	is(await page.locator('.event').count(), rows(`SELECT count(*) FROM arima_ops.events WHERE kind = 'promotion'`)[0].count, 'the timeline, by kind');
	await page.clean('addresses');
	await page.context().close();
});

await group('a new drift event', async () => {
	const list = await open(), one = await open();
	await list.open('/', '.series-table tbody tr');
	await one.open('/#/series/FTSE', '.card');
	is([await row(list, 'FTSE').locator('td.health').innerText(), await text(one, '.title .badge')], ['Good', 'Good'], 'before it');
	await list.waitForTimeout(2500);
	await run(`CALL live_on('FTSE', 12, 12)`);
	is(rows(`SELECT drift FROM arima_ops.monitoring WHERE series = 'FTSE'`)[0].drift, true, 'there is drift');
	const waits = await Promise.all([
		until(list, () => [...document.querySelectorAll('.series-table tr')].some(tr => /FTSE/.test(tr.innerText) && tr.querySelector('td.health .drift'))),
		until(list, () => document.querySelector('aside .event.fresh.bad a')?.textContent === 'FTSE'),
		until(list, () => /drift.*FTSE/i.test(document.getElementById('announce').textContent)),
		until(one, () => document.querySelector('.title .badge').classList.contains('drift')),
		until(one, () => document.querySelector('.panel .event.bad')),
	]);
	ok(Math.max(...waits) < 5000, 'list, events, screen reader, series: within five seconds', waits);
	const [event] = rows(`SELECT what FROM arima_ops.timeline WHERE kind = 'drift' AND series = 'FTSE'`);
	is(await text(list, 'aside .event.bad .event-what'), event.what, 'in the words of the timeline');
	is(await text(list, '.tile.drift .tile-number'), '1', 'it is counted');
	await screenshot(one, 'drift-light', true);
	await Promise.all([list.clean('drift in the list'), one.clean('drift of one series')]);
	await list.context().close();
	await one.context().close();
});

await group('no news: answers without body', async () => {
	const page = await open();
	await page.open('/', '.series-table tbody tr');
	await page.waitForTimeout(4600);
	const asked = page.answers.filter(answer => answer.path === '/api/overview').map(answer => answer.status);
	ok(asked.length >= 2 && asked[0] === 200 && asked.slice(1).every(status => status === 304), 'the overview is sent once, then 304', asked);
	await page.clean('polling');
	await page.context().close();
});

await group('the server goes and comes back', async () => {
	const own = await startRestd();
	const page = await newPage(browser, own.url);
	await page.open('/', '.series-table tbody tr');
	is(await page.locator('#trouble').isVisible(), false, 'no trouble at first');
	await own.stop();
	const wait = await until(page, () => !document.getElementById('trouble').hidden);
	ok(wait < 6000, 'it is told soon', wait);
	const told = await text(page, '#trouble');
	ok(/cannot be reached.*last answer came at \d\d:\d\d:\d\d/.test(told), 'with the time of the last answer', told);
	is(await page.locator('.series-table tbody tr').count(), 8, 'what was there stays');
	await screenshot(page, 'unreachable-light');
	const again = await startRestd({port: own.port});
	const back = await until(page, () => document.getElementById('trouble').hidden && document.getElementById('live').dataset.state === 'up');
	ok(back < 6000, 'and that it is back', back);
	page.forgive(/ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|ERR_SOCKET_NOT_CONNECTED/);
	await page.clean('unreachable');
	await page.context().close();
	await again.stop();
});

await group('keyboard', async () => {
	const page = await open();
	await page.open('/', '.series-table tbody tr');
	const focus = () => page.evaluate(() => {
		const {activeElement: e} = document;
		const {outlineStyle, outlineWidth} = getComputedStyle(e);
		return {text: e.id || e.innerText.trim().split('\n').pop() || e.getAttribute('aria-label'), seen: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2};
	});
	await page.keyboard.press('Tab');
	is((await focus()).text, 'skip', 'the first stop skips the head');
	await page.keyboard.press('Enter');
	is(await page.evaluate(() => document.activeElement.id), 'main', 'to the content');
	const walked = [];
	for (let i = 0; i < 60 && walked.at(-1)?.text !== 'young'; i++) {
		await page.keyboard.press('Tab');
		walked.push(await focus());
	}
	const names = walked.map(stop => stop.text);
	// the series in the order shown, which is that of their health: it depends on what happened before
	const shown = (await column(page, 'name')).map(name => name.split('\n')[0]);
	for (const stop of ['search', 'Series', 'Health', 'Skill', ...shown.slice(0, shown.indexOf('young') + 1)])
		ok(names.includes(stop), `Tab comes to ${stop}`, names);
	is(walked.filter(stop => !stop.seen).map(stop => stop.text), [], 'and the focus is always seen');
	await page.keyboard.press('Enter');
	await page.waitForSelector('.card');
	is([await text(page, 'h1'), await page.evaluate(() => document.activeElement.id)], ['young', 'main'], 'Enter opens the series, and the focus is in it');
	await page.goBack();
	await page.waitForSelector('.series-table tbody tr');
	await page.focus('.series-table .skill .sort');
	await page.keyboard.press('Space');
	await page.waitForTimeout(2500);
	is((await focus()).text, 'Skill', 'sorting and new data keep the focus');
	await page.focus('#theme');
	await page.keyboard.press('Enter');
	await page.keyboard.press('Enter');
	is(await page.evaluate(() => document.documentElement.dataset.theme), 'dark', 'the theme is chosen by key');
	await page.reload();
	const colours = () => page.evaluate(() => [document.documentElement.dataset.theme, getComputedStyle(document.body).backgroundColor]);
	is(await colours(), ['dark', 'rgb(14, 18, 23)'], 'and stays chosen');
	await page.focus('#theme');
	await page.keyboard.press('Enter');
	is(await colours(), ['light', 'rgb(244, 246, 249)'], 'or the system is asked again');
	await page.emulateMedia({colorScheme: 'dark'});
	await until(page, () => document.documentElement.dataset.theme === 'dark');
	is(await colours(), ['dark', 'rgb(14, 18, 23)'], 'whose change is followed');
	await page.keyboard.press('Enter');
	is(await colours(), ['light', 'rgb(244, 246, 249)'], 'unless light is chosen');
	await page.clean('keyboard');
	await page.context().close();
});

await group('accessibility, and pictures', async () => {
	for (const [name, options] of Object.entries({light: {}, dark: {dark: true}, phone: {width: 390, height: 844, deviceScaleFactor: 2}, 'phone-dark': {width: 390, height: 844, dark: true, deviceScaleFactor: 2}})) {
		const page = await open(options);
		const views = [['list', '/', '.series-table tbody tr'], ['series', '/#/series/DAX?sessions=60', '.u-over'], ['timeline', '/#/timeline?kind=drift', '.event']];
		for (const [view, path, ready] of name.startsWith('phone') ? views.slice(0, 2) : views) {
			await page.goto('about:blank');
			await page.open(path, ready);
			await page.waitForSelector('#jobs li');
			if (view === 'series')
				await unfold(page, 0);
			// each colour and each width once
			if (name !== 'phone-dark')
				await audit(page, `${view}, ${name}`);
			ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${view}, ${name}: nothing sticks out`, await page.evaluate(() => document.documentElement.scrollWidth));
			if (view === 'series')
				await page.locator('summary').first().click();
			await page.evaluate(() => scrollTo(0, 0));
			await screenshot(page, `${view}-${name}`, view === 'series');
		}
		await page.clean(name);
		await page.context().close();
	}
	const small = await open({width: 320, height: 640});
	await small.open('/#/series/DAX', '.u-over');
	ok(await small.evaluate(() => document.documentElement.scrollWidth <= 320), 'nor on the smallest phone');
	await small.context().close();
	const still = await open({reducedMotion: 'reduce'});
	await still.open('/', '.series-table tbody tr');
	is(await still.evaluate(() => document.getAnimations().length), 0, 'nothing moves where that is not wanted');
	await still.context().close();
});

await group('five hundred series', async () => {
	const page = await open();
	const [{overview}] = rows('SELECT arima_api.overview() AS overview');
	const model = overview.series.find(s => s.name === 'DAX');
	const series = Array.from({length: 500}, (_, i) => ({...model, name: `S${String(i).padStart(3, '0')}`, skill: Math.sin(i), health: i % 50 === 0 ? 'drift' : 'good'}));
	let version = 0;
	await page.route('**/api/overview', route => {
		series[7].age = ++version;
		return route.fulfill({json: {...overview, series}, headers: {ETag: `"${version}"`}});
	});
	await page.open('/');
	await until(page, () => document.querySelectorAll('.series-table tbody tr').length === 500);
	const sorted = await page.evaluate(() => {
		const begin = performance.now();
		document.querySelector('.series-table .skill .sort').click();
		void document.body.offsetHeight;
		return performance.now() - begin;
	});
	await page.waitForFunction(() => document.querySelectorAll('.series-table tbody tr[hidden]').length === 0);
	ok(true, 'all are shown, the last ones a little later');
	ok(sorted < 10000, 'are sorted soon, also on a machine that does much else', sorted);
	is(await page.locator('.series-table tbody th').first().innerText(), `S${series.map((s, i) => [s.skill, i]).sort((a, b) => a[0] - b[0])[0][1]}`.replace(/S(\d+)/, (_, n) => `S${n.padStart(3, '0')}`), 'by number');
	await page.fill('#search', 'S49');
	is(await page.locator('.series-table tbody tr').count(), 10, 'and filtered');
	await page.fill('#search', '');
	await page.evaluate(() => {
		window.changes = 0;
		new MutationObserver(list => window.changes += list.filter(m => m.target.tagName === 'TR').length).observe(document.querySelector('tbody'), {childList: true, subtree: true});
	});
	await until(page, () => window.changes > 0);
	is(await page.evaluate(() => window.changes), 1, 'new data touch the one row that they change');
	await screenshot(page, 'many-light');
	await page.clean('five hundred');
	await page.context().close();
});

await group('columns that fit', async () => {
	const page = await open();
	const [{overview}] = rows('SELECT arima_api.overview() AS overview');
	const model = overview.series.find(s => s.name === 'DAX');
	const wide = {...model, spec: '(2,1,2)(0,1,1)[12] with drift', champion: 128, age: 1001, pending: 1001, skill: -1.0042, rolling_rmse: 1234.5, threshold: 1543.2, health: 'no_model',
		last_forecast: {...model.last_forecast, forecast: 123456, lower: 119876, upper: 126543}};
	await page.route('**/api/overview', route => route.fulfill({json: {...overview, series: [{...wide, name: 'a long name of a series'}, {...wide, name: 'and-one-that-has-no-place-to-break'}]}}));
	await page.open('/', '.series-table tbody tr');
	for (const width of [320, 390, 600, 705, 800, 900, 1000, 1100, 1200, 1319, 1320, 1366, 1400, 1440, 1500, 1600, 1680, 1800, 1920, 2400]) {
		await page.setViewportSize({width, height: 900});
		// in the frame after the next the new width has been laid out
		is(await page.locator('.table-box').evaluate(box => new Promise(tell => requestAnimationFrame(() => requestAnimationFrame(() =>
			tell(Math.max(0, box.scrollWidth - box.clientWidth)))))), 0, `at ${width} pixels no column is cut`);
		if (width === 1400)
			await screenshot(page, 'wide-light');
	}
	await page.context().close();
});

await group('no series', async () => {
	const own = await startRestd({database: `${process.env.PGDATABASE}_empty`});
	const page = await newPage(browser, own.url);
	await page.open('/', '.empty');
	ok((await text(page, '.empty pre')).includes('arima_ops.create_series('), 'the page says how to make one');
	await audit(page, 'no series');
	await screenshot(page, 'empty-light');
	await page.clean('no series');
	await page.context().close();
	await own.stop();
});

await group('a token', async () => {
	const file = `${process.env.OUT}/tokens`;
	writeFileSync(file, `${createHash('sha256').update('let me in').digest('hex')} operator\n`);
	chmodSync(file, 0o644);
	const own = await startRestd({more: ['--tokens', file]});
	const page = await newPage(browser, own.url);
	await page.open('/', 'dialog[open]');
	await audit(page, 'the token is asked for');
	await screenshot(page, 'token-light');
	await page.fill('#token', 'wrong');
	await page.keyboard.press('Enter');
	await page.waitForSelector('dialog[open] >> text=does not take this token');
	await page.fill('#token', 'let me in');
	await page.getByRole('button', {name: 'Continue'}).click();
	await page.waitForSelector('.series-table tbody tr');
	is(await page.evaluate(() => [JSON.stringify(localStorage).includes('let me'), document.cookie, JSON.stringify(sessionStorage).includes('let me')]), [false, '', true], 'it is kept in the session alone');
	page.forgive(/401/);
	await page.clean('token');
	await page.context().close();
	await own.stop();
});

await group('the description', async () => {
	const page = await open();
	await page.open('/docs', '.opblock');
	const description = await page.evaluate(() => fetch('openapi.json').then(response => response.json()));
	const control = /^default_version *= *'(.*)'/m.exec(readFileSync(new URL('../../arima_ops.control', import.meta.url), 'utf8'))[1];
	is([description.openapi, description.info.title, description.info.version, description.info['x-arima-ops-version']],
		['3.1.0', 'ARIMA FORECAST API', '1.0.0', control], 'title, version of the interface and of the program');
	is(await page.locator('.opblock').count(), Object.values(description.paths).flatMap(Object.keys).length, 'every operation is shown');
	ok((await text(page, '.info .title')).includes('ARIMA FORECAST API'), 'under its title');
	const page2 = page.answers.find(answer => answer.path.endsWith('swagger-ui-bundle.js'));
	is(page2.type, 'text/javascript; charset=utf-8', 'as UTF-8');
	is((await page.goto(`${restd.url}/redoc`)).url(), `${restd.url}/docs`, '/redoc leads there');
	await page.waitForSelector('.opblock');
	await screenshot(page, 'docs');
	await page.clean('docs');
	await page.context().close();
});

await browser.close();
await restd.stop();
finish();
