import "./sn-theme.js";
