import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

/** The file of the validation rules, and the number of the option in which each stands. */
const RULES = "buf/validate/validate";
const RULE_OPTION = 1159;

/**
 * A generated module without the validation rules, which servers alone read and which are 13 KB gzipped: neither its
 * descriptor nor its imports have them. Throws an Error where they are written in a way that is not known here.
 */
export function withoutRules(code: string): string {
  const name = `file_${RULES.replaceAll("/", "_")}`;
  const lean = code
    .replace(new RegExp(`^import \\{ ${name} \\} from "[^"]*/${RULES}_pb\\.js";\n`, "m"), "")
    .replace(new RegExp(`(?<=[[ ])${name}(, )?`), "")
    .replace(/(?<=\bfileDesc\(")[^"]*(?=")/, leanDescriptor);
  if (lean.includes(RULES) || lean.includes(name)) throw new Error(`rules are left: ${lean.slice(0, 200)}`);
  return lean;
}

function leanDescriptor(base64: string): string {
  const file = fromBinary(FileDescriptorProtoSchema, Buffer.from(base64, "base64"));
  file.dependency = file.dependency.filter((path) => path !== `${RULES}.proto`);
  dropRules(file);
  return Buffer.from(toBinary(FileDescriptorProtoSchema, file)).toString("base64").replace(/=+$/, "");
}

/** An option that the descriptor's own schema does not know is an unknown field of it. */
function dropRules(part: unknown): void {
  if (typeof part !== "object" || part === null || part instanceof Uint8Array) return;
  const message = part as { $unknown?: { no: number }[] };
  if (message.$unknown) message.$unknown = message.$unknown.filter(({ no }) => no !== RULE_OPTION);
  for (const [key, value] of Object.entries(part)) if (key !== "$unknown") dropRules(value);
}
