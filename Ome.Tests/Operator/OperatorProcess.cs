using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Operator;

/// <summary>The operator as a process of its own, which can be killed as a node failure kills it.</summary>
internal sealed class OperatorProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly HttpClient _http;

    private OperatorProcess(Process process, int port) => (_process, _http) = (process, new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") });

    public static OperatorProcess Start(ITestControlPlane plane, string ns, TimeSpan? leaderLease = null)
    {
        var port = FreePort();
        string[] election = leaderLease is { } lease ? ["--leader-lease", FormattableString.Invariant($"{lease.TotalSeconds}s")] : ["--leader-elect", "false"];
        string[] arguments =
        [
            Path.Combine(AppContext.BaseDirectory, "ome-operator.dll"), "--host", "127.0.0.1", "--port", port.ToString(CultureInfo.InvariantCulture), "--namespace", ns, "--log-level", "error", .. election,
        ];
        var start = new ProcessStartInfo("dotnet", arguments) { UseShellExecute = false, RedirectStandardOutput = true };
        start.Environment["KUBECONFIG"] = plane.KubeconfigPath;
        var process = Process.Start(start) ?? throw new InvalidOperationException("the operator did not start");
        process.OutputDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        return new OperatorProcess(process, port);
    }

    /// <summary>Its index is complete.</summary>
    public Task UntilReadyAsync(CancellationToken cancellationToken) => UntilAsync("/readyz", static text => text == "ok", cancellationToken);

    /// <summary>It says whether it leads.</summary>
    public Task UntilLeadsAsync(bool leads, CancellationToken cancellationToken) =>
        UntilAsync("/metrics", text => text.Contains($"\nome_operator_leader {(leads ? 1 : 0)}\n", StringComparison.Ordinal), cancellationToken);

    /// <summary>SIGKILL: no shutdown, no hand-over.</summary>
    public async Task KillAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process.Dispose();
        _http.Dispose();
    }

    private async Task UntilAsync(string path, Func<string, bool> says, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                if (says(await _http.GetStringAsync(path, cancellationToken))) return;
            }
            catch (HttpRequestException)
            {
                // Not up yet, or not ready.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
