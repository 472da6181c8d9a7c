/* Applies the remembered theme before the first paint, so that a dark page does not flash white. */
try {
  const theme = localStorage.getItem('prosa.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be forbidden; the system's theme then holds.
}
