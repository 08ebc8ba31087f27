import { Component } from "preact";
import type { Line } from "../model.ts";
import { RetryIcon, TickMark } from "../parts/icons.tsx";
import { clockTime, fullTime } from "../parts/times.ts";
import { MessageText } from "./message-text.tsx";

interface BubbleProps {
  readonly line: Line;
  /** What people call the sender. */
  readonly sender: string;
  /** Follows another of the same sender within a few minutes. */
  readonly isFollowing: boolean;
  /** In a group the sender's name stands above. */
  readonly isNamed: boolean;
  readonly onRetry: (line: Line) => void;
  readonly onDiscard: (line: Line) => void;
}

/** One message. Drawn anew only when its line is another one. */
export class Bubble extends Component<BubbleProps> {
  /**
   * Lines that have not changed are the same objects, so a list of hundreds is compared by identity. The callbacks
   * differ each time and do the same.
   */
  override shouldComponentUpdate(next: BubbleProps): boolean {
    return (
      next.line !== this.props.line ||
      next.sender !== this.props.sender ||
      next.isFollowing !== this.props.isFollowing ||
      next.isNamed !== this.props.isNamed
    );
  }

  override render() {
    const { line, sender, isFollowing, isNamed } = this.props;
    const isNameShown = isNamed && !line.isOwn && !isFollowing;
    const classes = ["bubble", line.isOwn ? "own" : "other", line.tick ?? "", isFollowing ? "following" : ""];
    return (
      <div class={classes.filter(Boolean).join(" ")} data-key={line.key} data-seq={line.seq}>
        <div class="body">
          <span class={isNameShown ? "sender" : "for-listeners"} title={line.sender}>
            {/* Listeners hear of every message who said it; on the screen the side and the colour say so. */}
            {line.isOwn ? "You" : sender}
            <span class="for-listeners">: </span>
          </span>
          <MessageText text={line.text} />
          <span class="stamp">
            <time dateTime={new Date(line.createdAtMs).toISOString()} title={fullTime(line.createdAtMs)}>
              {clockTime(line.createdAtMs)}
            </time>
            {line.tick && <TickMark tick={line.tick} />}
          </span>
        </div>
        {line.tick === "checking" && <p class="note">Finding out whether this was sent…</p>}
        {line.tick === "failed" && <Failed {...this.props} />}
      </div>
    );
  }
}

/** What became of a group, between the messages. */
export function ChangeNote({ line }: { line: Line }) {
  return (
    <p class="change" data-key={line.key} data-seq={line.seq}>
      <span dir="auto">{line.text}</span>
      <time dateTime={new Date(line.createdAtMs).toISOString()} title={fullTime(line.createdAtMs)}>
        {clockTime(line.createdAtMs)}
      </time>
    </p>
  );
}

/** Below a message that was not sent: why, and the two ways on. */
function Failed({ line, onRetry, onDiscard }: BubbleProps) {
  return (
    <div class="note failed">
      <span>{line.failure}.</span>
      <span class="choices">
        <button type="button" onClick={() => onRetry(line)}>
          <RetryIcon size={14} /> Try again
        </button>
        <button type="button" onClick={() => onDiscard(line)}>
          Delete
        </button>
      </span>
    </div>
  );
}
