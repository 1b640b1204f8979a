// Elements by function calls.  All text goes in as text, so nothing from the
// database is ever taken for markup.

const SVG = 'http://www.w3.org/2000/svg';

function fill(element, properties, children) {
	for (const [name, value] of Object.entries(properties ?? {})) {
		if (value === undefined || value === null || value === false)
			continue;
		if (name.startsWith('on'))
			element.addEventListener(name.slice(2), value);
		else
			element.setAttribute(name, value === true ? '' : value);
	}
	element.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== false));
	return element;
}

/** An HTML element: h('a', {href, class, onclick}, child, text, …). */
export function h(tag, properties, ...children) {
	return fill(document.createElement(tag), properties, children);
}

/** An SVG element. */
export function svg(tag, properties, ...children) {
	return fill(document.createElementNS(SVG, tag), properties, children);
}

/** A picture of the sprite in index.html, for eyes only. */
export function icon(name) {
	return svg('svg', {class: `icon icon-${name}`, 'aria-hidden': 'true'}, svg('use', {href: `#i-${name}`}));
}

/** What only a screen reader tells. */
export function aside(text) {
	return h('span', {class: 'visually-hidden'}, text);
}

/** A moment as a time element. */
export function time(iso, text) {
	return h('time', {datetime: iso, title: iso}, text);
}

/** Says something through the live region. */
export function announce(text) {
	document.getElementById('announce').textContent = text;
}

/** Puts children in place of those there are; an element that is among both keeps its focus. */
export function replace(parent, ...children) {
	const wanted = children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== false);
	if (wanted.length !== parent.childNodes.length || wanted.some((child, i) => child !== parent.childNodes[i]))
		parent.replaceChildren(...wanted);
}

/** SQL to copy. */
export function sql(text) {
	return h('pre', {tabindex: '0', 'aria-label': 'SQL'}, h('code', {}, text));
}
