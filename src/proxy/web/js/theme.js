// The colours: those of the system, or light or dark as chosen.  Not a module, so
// that it runs before anything is painted.
(function () {
	'use strict';
	var wanted = null;
	try {
		wanted = localStorage.getItem('theme');
	} catch (e) { /* storage may be forbidden */ }
	if (wanted === 'light' || wanted === 'dark')
		document.documentElement.dataset.theme = wanted;
})();
