import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { ClusterHistory } from "../../api.ts";
import { history } from "../live.ts";

const HEIGHT = 180;
/** Stroke and dash per series: colour is never the only difference. */
const STROKES = ["#0072B2", "#D55E00", "#009E73", "#CC79A7"];
const DASHES = [[], [6, 3], [2, 3], [8, 3, 2, 3]];

function dataOf(of: ClusterHistory, kind: "inRate" | "outRate"): uPlot.AlignedData {
  return [of.times.map((at) => at / 1_000), ...of.series.map((series) => [...series[kind]])];
}

function options(of: ClusterHistory, title: string, width: number): uPlot.Options {
  return {
    title,
    width,
    height: HEIGHT,
    scales: { y: { range: (_plot, _min, max) => [0, Math.max(10, max * 1.1)] } },
    axes: [{}, { size: 60 }],
    series: [
      {},
      ...of.series.map((series, index) => ({
        label: series.node,
        stroke: STROKES[index % STROKES.length] ?? "#000000",
        dash: DASHES[index % DASHES.length] ?? [],
        width: 1.5,
        spanGaps: false,
      })),
    ],
  };
}

/** Messages a second of every broker over the last 15 minutes; gaps stay gaps. */
export function RateChart({
  kind,
  title,
}: {
  readonly kind: "inRate" | "outRate";
  readonly title: string;
}) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const data = history.value;
  const seriesCount = data?.series.length ?? 0;
  useEffect(() => {
    const element = place.current;
    if (element === null || data === undefined) return undefined;
    const made = new uPlot(options(data, title, element.clientWidth), dataOf(data, kind), element);
    plot.current = made;
    const resize = (): void => made.setSize({ width: element.clientWidth, height: HEIGHT });
    window.addEventListener("resize", resize);
    return () => {
      window.removeEventListener("resize", resize);
      made.destroy();
      plot.current = null;
    };
  }, [seriesCount]);
  useEffect(() => {
    if (data !== undefined) plot.current?.setData(dataOf(data, kind));
  }, [data]);
  return <div class="chart" ref={place} role="img" aria-label={title} />;
}
