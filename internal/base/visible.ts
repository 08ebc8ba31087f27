/** Anything but blanks, controls, and what Unicode says is shown by nothing, fillers among them. */
const VISIBLE = /[^\p{Z}\p{Cc}\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800]/u;

/** Whether a person sees anything of a text. A name needs that. */
export function hasVisible(text: string): boolean {
  return VISIBLE.test(text);
}
