// Everything of the pages that are read. Terminals are loaded when one is opened.
import "./sn-content.js";
import "./sn-theme.js";
import "./sn-search.js";
import "./sn-keylist.js";
import "./sn-resume.js";
import "./sn-predict.js";
import "./sn-recall.js";
import "./sn-answers.js";
import "./sn-picture.js";
import "./sn-stepper.js";
import "./sn-gauntlet.js";
import "./sn-beside.js";
import "./sn-reading.js"; // last: it calls those above

import { movePanes } from "./panes.js";

document.addEventListener("keydown", movePanes);
