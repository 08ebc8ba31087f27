import { render } from "preact";
import { App } from "./app.tsx";
import { watchAttention } from "./attention.ts";
import { keepCompositionKeys } from "./composition.ts";
import { Page } from "./page.ts";
import { Router } from "./route.ts";

const root = document.getElementById("page");
if (!root) throw new Error("index.html has no #page");
// First: its listener must be before every other.
keepCompositionKeys(window);
const page = new Page(window);
render(<App page={page} router={new Router(window)} attention={watchAttention(document)} />, root);
// After the first drawing, so that the screen is never empty while storage is read.
page.start();
