import { render } from "preact";
import "./style.css";
import { ClusterPage } from "./cluster-page.tsx";
import { startLive } from "./live.ts";

const root = document.getElementById("app");
if (root !== null) {
  startLive();
  render(<ClusterPage />, root);
}
