using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Ome.LocalCluster.Demo;

/// <summary>
/// A context of the user's kubeconfig. <c>kubectl</c> reads the file, whatever it merges, and <c>kubectl proxy</c> logs in, whatever that takes;
/// it ends with this object.
/// </summary>
internal sealed class DemoContext : IAsyncDisposable
{
    /// <summary>Stands for the context kubectl would take.</summary>
    public const string Current = "current";

    private const string Serving = "Starting to serve on ";

    private readonly Process _proxy;

    private DemoContext(string name, JsonObject server, Uri proxy, Process process) => (Name, Server, Proxy, _proxy) = (name, server, proxy, process);

    public string Name { get; }

    /// <summary>The <c>cluster</c> of the context: address and trust.</summary>
    public JsonObject Server { get; }

    /// <summary>The API on loopback, with the context's user logged in.</summary>
    public Uri Proxy { get; }

    /// <summary>Looks the context up and logs in.</summary>
    /// <exception cref="DemoFailedException">There is no kubectl, no such context, or no way in.</exception>
    public static async Task<DemoContext> OpenAsync(string context, CancellationToken cancellationToken)
    {
        var name = context == Current ? (await KubectlAsync(["config", "current-context"], cancellationToken)).Trim() : context;
        var view = JsonNode.Parse(await KubectlAsync(["config", "view", "--raw", "--flatten", "--minify", "--context", name, "-o", "json"], cancellationToken))!;
        if (view["clusters"]?[0]?["cluster"] is not JsonObject server) throw new DemoFailedException($"context {name} names no cluster: see kubectl config get-contexts.");
        var proxy = Start(["proxy", "--context", name, "--address", "127.0.0.1", "--port", "0"]);
        try
        {
            var line = await proxy.StandardOutput.ReadLineAsync(cancellationToken);
            if (line is null || !line.StartsWith(Serving, StringComparison.Ordinal)) throw new DemoFailedException($"kubectl proxy: {line} {await proxy.StandardError.ReadToEndAsync(cancellationToken)}");
            return new DemoContext(name, server.DeepClone().AsObject(), new Uri("http://" + line[Serving.Length..].Trim()), proxy);
        }
        catch
        {
            await EndAsync(proxy);
            throw;
        }
    }

    public async ValueTask DisposeAsync() => await EndAsync(_proxy);

    private static async Task<string> KubectlAsync(string[] arguments, CancellationToken cancellationToken)
    {
        using var kubectl = Start(arguments);
        var output = kubectl.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = await kubectl.StandardError.ReadToEndAsync(cancellationToken);
        await kubectl.WaitForExitAsync(cancellationToken);
        return kubectl.ExitCode == 0 ? await output : throw new DemoFailedException($"kubectl {string.Join(' ', arguments)}: {error.Trim()}");
    }

    private static Process Start(string[] arguments)
    {
        try
        {
            return Process.Start(new ProcessStartInfo("kubectl", arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
        }
        catch (Win32Exception)
        {
            throw new DemoFailedException("running on a kubeconfig context takes kubectl, and there is none on PATH.");
        }
    }

    private static async Task EndAsync(Process process)
    {
        if (!process.HasExited) process.Kill();
        await process.WaitForExitAsync(CancellationToken.None);
        process.Dispose();
    }
}
