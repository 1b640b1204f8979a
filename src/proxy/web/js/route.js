// Addresses of the page: #/ with q, health and sort; #/series/NAME with sessions; #/timeline with kind.

/** Where the address leads: view, name, parameters. */
export function route() {
	const [path, query] = location.hash.replace(/^#/, '').split('?');
	const parameters = new URLSearchParams(query ?? '');
	const series = /^\/series\/(.+)$/.exec(path);
	if (series) {
		try {
			return {view: 'series', name: decodeURIComponent(series[1]), parameters};
		} catch {
			return {view: 'list', parameters};
		}
	}
	return {view: path === '/timeline' ? 'timeline' : 'list', parameters};
}

/** Changes the parameters of a view in the address; those that are as usual are left out. */
export function go(path, parameters, usual) {
	const query = new URLSearchParams(Object.entries(parameters).filter(([key, value]) => value !== usual[key])).toString();
	history.replaceState(null, '', query ? `${path}?${query}` : path);
	dispatchEvent(new HashChangeEvent('hashchange'));
}
