import { readFileSync } from "node:fs";
import type { Plugin } from "vite";

/** What the page, which speaks binary only, never calls of protobuf-es: 9 KB gzipped. */
const jsonFiles = /@bufbuild\/protobuf\/dist\/esm\/(from|to)-json\.js$/;

/** Leaves protobuf's JSON out of the page. Whoever calls it after all gets an Error that says so. */
export function withoutJson(): Plugin {
  return {
    name: "protobuf-without-json",
    load(id) {
      if (!jsonFiles.test(id)) return null;
      const names = [...readFileSync(id, "utf8").matchAll(/^export function (\w+)/gm)].map(
        ([, name]) => name,
      );
      if (names.length === 0) throw new Error(`${id} has no functions to leave out: see to withoutJson`);
      const refuse = 'const refuse = () => { throw new Error("the page has no protobuf JSON"); };';
      return `${refuse}\nexport { ${names.map((name) => `refuse as ${name}`).join(", ")} };`;
    },
  };
}
