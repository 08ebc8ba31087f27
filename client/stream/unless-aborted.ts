/**
 * As the promise settles, or rejects with the signal's reason when that aborts first. Leaves nothing on the signal,
 * which may live as long as the client. What the promise stands for goes on all the same.
 */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return await promise;
  return await new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
    // An abort of before the listener was added calls nobody.
    if (signal.aborted) abort();
  });
}
