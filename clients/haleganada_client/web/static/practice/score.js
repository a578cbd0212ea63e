// How well a drawing passes for a letter.

/** @typedef {{ isRight: boolean, share: number, taken: string }} Score  share: the letter's probability; taken: the best one. */

/** Return the score of a drawing of a letter. A form of the letter, or the letter that it is a form of, is right as well.
 * @param {Prediction} prediction
 * @param {string} label
 * @returns {Score}
 */
export function scoreDrawing({ candidates, decision }, label) {
  const canonical = candidates.find((candidate) => candidate.label === label)?.canonical ?? label;
  const own = candidates.filter((candidate) => candidate.canonical === canonical || candidate.label === label);
  const share = own.reduce((sum, { probability }) => sum + probability, 0);
  const isRight = own.includes(candidates[0]) && ["recognized", "unsure"].includes(decision);
  return { isRight, share: Math.min(1, share), taken: isRight ? label : (candidates[0]?.label ?? "") };
}
