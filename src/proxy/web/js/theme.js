// The colours: those of the system, or light or dark as chosen.  Not a module, so
// that it runs before anything is painted.  data-theme is what is shown, data-chosen
// what was chosen: auto, light or dark.
(function () {
	'use strict';
	var root = document.documentElement;
	var dark = matchMedia('(prefers-color-scheme: dark)');
	function show() {
		root.dataset.theme = root.dataset.chosen !== 'auto' ? root.dataset.chosen : dark.matches ? 'dark' : 'light';
		dispatchEvent(new Event('themechange'));
	}
	root.dataset.chosen = 'auto';
	try {
		var wanted = localStorage.getItem('theme');
		if (wanted === 'light' || wanted === 'dark')
			root.dataset.chosen = wanted;
	} catch (e) { /* storage may be forbidden */ }
	show();
	dark.addEventListener('change', show);
	addEventListener('themechosen', show);
})();
