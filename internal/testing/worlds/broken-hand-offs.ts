import { MarkedTopics } from "../../push/topics/marked-topics.ts";
import type { Subscription } from "../../push/topics/topics.ts";
import type { Offer } from "../../registry/registry.ts";
import { SharedRegistry } from "../../registry/shared-registry.ts";

/** How one mechanism of the hand-off is broken. */
export interface HandOffVariant {
  readonly hasNoRepair?: boolean;
  readonly doesRepairStopAtBroadcast?: boolean;
  readonly markedTopics?: typeof MarkedTopics<Subscription>;
  readonly areAcksNotWaitedFor?: boolean;
  readonly hasNoNumbers?: boolean;
  readonly isHiddenIgnored?: boolean;
  readonly isOwnNumberForgotten?: boolean;
  readonly isMoveNotCompared?: boolean;
  readonly isMoveBackNotCompared?: boolean;
  readonly isExactWhileLeaving?: boolean;
  readonly hasNoDeadline?: boolean;
  readonly isIncarnationKept?: boolean;
  readonly areLinksKept?: boolean;
}

/** Marked topics are forgotten when they are due. */
class ForgottenMarks extends MarkedTopics<Subscription> {
  override settle(): void {
    this.close();
  }

  protected override late(): void {
    this.close();
  }
}

/** Only topics that are opened are marked, and none that moves. */
class OpenedMarks extends MarkedTopics<Subscription> {
  override add(subscription: Subscription): void {
    if (!subscription.isOld) super.add(subscription);
  }
}

/** A registry in which an instance that lost its lease gets its old number back. */
export class NumberKeepingRegistry extends SharedRegistry {
  readonly #numbers = new Map<string, number>();

  protected override nextNumber(offer: Offer, highest: number): number {
    const number = this.#numbers.get(offer.name) ?? super.nextNumber(offer, highest);
    this.#numbers.set(offer.name, number);
    return number;
  }
}

/** The mechanisms of the hand-off, each missing: some history must catch it. */
export const brokenHandOffs: Readonly<Record<string, HandOffVariant>> = {
  "no repair": { hasNoRepair: true },
  "repair that stops at `broadcast`": { doesRepairStopAtBroadcast: true },
  "marked topics not compared again": { markedTopics: ForgottenMarks },
  "compared without waiting for the acknowledgements": { areAcksNotWaitedFor: true },
  "only opened topics marked, not moved ones": { markedTopics: OpenedMarks },
  "no numbers": { hasNoNumbers: true },
  "a hidden registration ignored": { isHiddenIgnored: true },
  "an instance that forgets its own number": { isOwnNumberForgotten: true },
  "no compare on a move": { isMoveNotCompared: true },
  "no compare on a move back": { isMoveBackNotCompared: true },
  "`exact` while leaving": { isExactWhileLeaving: true },
  "no lease deadline": { hasNoDeadline: true },
  "the same incarnation after the lease was lost": { isIncarnationKept: true },
  "links kept after the lease was lost": { areLinksKept: true },
};
