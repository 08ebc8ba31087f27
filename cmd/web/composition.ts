/**
 * Keeps the keys with which a person composes text (an input method's candidates, a dead key's accent) from the page.
 * Enter then takes a candidate, Escape leaves it: neither may send a message, take a name or close a form. It stands in
 * one place, before every listener, so that no field has to think of it. Safari ends the composition before it tells of
 * the key that ended it, and marks that key with the code 229 only, which all browsers give to keys of input methods.
 */
export function keepCompositionKeys(window: Window): void {
  const keep = (event: KeyboardEvent) => {
    if (event.isComposing || event.keyCode === 229) event.stopImmediatePropagation();
  };
  for (const type of ["keydown", "keyup"] as const) window.addEventListener(type, keep, { capture: true });
}
