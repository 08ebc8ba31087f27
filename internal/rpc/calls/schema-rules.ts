import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { createValidator, type Violation } from "@bufbuild/protovalidate";
import { type HeddleError, invalidField } from "../../base/heddle-error.ts";

// One for the process: it compiles the rules of a message type once. 0.65 µs a message when warm.
const validator = createValidator({ failFast: true });
const thorough = createValidator();

/**
 * Checks a message against the rules in the schema. Returns undefined, or INVALID_ARGUMENT / INVALID_FIELD for the
 * first rule it breaks, with the field's path and the rule's id. Never quotes the value.
 */
export function brokenRule<D extends DescMessage>(
  schema: D,
  message: MessageShape<D>,
): HeddleError | undefined {
  const result = validator.validate(schema, message);
  if (result.kind === "valid") return undefined;
  if (result.kind === "error") throw result.error;
  const [violation] = result.violations;
  return violation ? fromViolation(violation) : invalidField("", "unknown");
}

/** As brokenRule, but throws it. */
export function checkRules<D extends DescMessage>(schema: D, message: MessageShape<D>): void {
  const broken = brokenRule(schema, message);
  if (broken) throw broken;
}

/** As checkRules, but for the message's own fields only: what stands inside the messages in them is left alone. */
export function checkOwnRules<D extends DescMessage>(schema: D, message: MessageShape<D>): void {
  const result = thorough.validate(schema, message);
  if (result.kind === "error") throw result.error;
  const own = result.violations?.find(({ field }) => field.length <= 1);
  if (own) throw fromViolation(own);
}

function fromViolation(violation: Violation): HeddleError {
  const path: string[] = [];
  for (const step of violation.field) {
    if (step.kind === "field" || step.kind === "oneof" || step.kind === "extension") path.push(step.name);
    else if (step.kind === "list_sub") path.push(String(step.index));
    else path.push("*"); // A map key is content.
  }
  return invalidField(path.join("."), violation.ruleId);
}
