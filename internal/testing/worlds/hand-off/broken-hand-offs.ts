import { MarkedTopics } from "../../../push/topics/marked-topics.ts";
import type { Subscription } from "../../../push/topics/topics.ts";
import type { Offer } from "../../../registry/registry.ts";
import { SharedRegistry } from "../../../registry/shared-registry.ts";

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
export class ForgottenMarks extends MarkedTopics<Subscription> {
  override settle(): void {
    this.close();
  }

  protected override late(): void {
    this.close();
  }
}

/** Only topics that are opened are marked, and none that moves. */
export class OpenedMarks extends MarkedTopics<Subscription> {
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

/**
 * The mechanisms of the hand-off, each missing, with the seed of a history that catches it. Three more are caught by the
 * histories of hand-off.test.ts. An instance that forgets its own number, or keeps its links when it has lost its lease,
 * leaves no hole here: push servers announce theirs at once, and hold another link to each incarnation. Tests of
 * ChannelService hold these two.
 */
export const brokenHandOffs: Readonly<Record<string, readonly [HandOffVariant, seed: number]>> = {
  "marked topics are not compared again": [{ markedTopics: ForgottenMarks }, 5],
  "only opened topics are marked, not moved ones": [{ markedTopics: OpenedMarks }, 5],
  "there are no numbers": [{ hasNoNumbers: true }, 149],
  "a hidden registration is ignored": [{ isHiddenIgnored: true }, 5],
  "a move is not compared": [{ isMoveNotCompared: true }, 19],
  "a move back is not compared": [{ isMoveBackNotCompared: true }, 105],
  "`exact` is said while leaving": [{ isExactWhileLeaving: true }, 5],
  "the incarnation stays when the lease was lost": [{ isIncarnationKept: true }, 149],
};
