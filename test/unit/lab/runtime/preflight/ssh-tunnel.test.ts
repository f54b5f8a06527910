import { describe, expect, it } from "vitest";
import { tunnelArguments } from "../../../../../lab/runtime/preflight/ssh-tunnel.ts";

const LOCAL = "/tmp/x/docker.sock";

function line(address: string): string {
  return tunnelArguments(address, LOCAL).join(" ");
}

describe("the tunnel to a server's engine", () => {
  it("leads to Docker's usual socket, as the user and to the port of the address", () => {
    expect(line("ssh://lab@server.example:2222")).toContain(
      `-p 2222 -l lab -L ${LOCAL}:/var/run/docker.sock -- server.example `,
    );
  });

  it("leads to the socket the address names", () => {
    expect(line("ssh://server.example/run/user/1000/docker.sock")).toContain(
      `-L ${LOCAL}:/run/user/1000/docker.sock -- server.example `,
    );
  });

  it("asks no question, and no name of a host is an option", () => {
    expect(line("ssh://server.example")).toContain("-o BatchMode=yes");
    const args = tunnelArguments("ssh://-oProxyCommand=x/", LOCAL);
    expect(args.indexOf("--")).toBe(args.length - 3);
    expect(args.at(-2)).toBe("-oProxyCommand=x");
  });
});
