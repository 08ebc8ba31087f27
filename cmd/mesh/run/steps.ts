/** One thing that a person sees while a mesh starts or stops. */
export interface StepLine {
  /** What it is about: "etcd", "HBase", "programs". */
  readonly step: string;
  /** What goes on there: "installing etcd 3.7.3". */
  readonly text: string;
  /** Set when it is through, with how long it took in ms. */
  readonly tookMs?: number;
}

export type OnStep = (line: StepLine) => void;

/** Runs one step, and tells of its beginning, of what it reports, and of its end. */
export async function runStep<T>(
  onStep: OnStep,
  step: string,
  begins: string,
  run: (progress: (text: string) => void) => Promise<T>,
  ends: (result: T) => string,
): Promise<T> {
  const begun = performance.now();
  onStep({ step, text: begins });
  const result = await run((text) => onStep({ step, text }));
  onStep({ step, text: ends(result), tookMs: Math.round(performance.now() - begun) });
  return result;
}
