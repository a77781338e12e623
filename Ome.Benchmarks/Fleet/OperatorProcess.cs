using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Ome.Benchmarks.Fleet;

/// <summary>The real operator as a process, seen from outside: memory, processor time and its own metrics.</summary>
internal sealed class OperatorProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly HttpClient _http;

    private OperatorProcess(Process process, int port)
    {
        _process = process;
        _http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}/") };
    }

    /// <summary>When it was started, a timestamp.</summary>
    public long Started { get; private init; }

    public static OperatorProcess Start(string kubeconfig, string ns)
    {
        var port = FreePort();
        var started = Stopwatch.GetTimestamp();
        string[] arguments = ["--host", "127.0.0.1", "--port", port.ToString(CultureInfo.InvariantCulture), "--leader-elect", "false", "--namespace", ns, "--log-level", "warn"];
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "ome-operator.dll"), .. arguments]);
        start.Environment["KUBECONFIG"] = kubeconfig;
        return new OperatorProcess(Process.Start(start) ?? throw new InvalidOperationException("the operator did not start"), port) { Started = started };
    }

    /// <summary>Resident now and at most so far, MiB.</summary>
    public (double Now, double Peak) Memory()
    {
        _process.Refresh();
        return (_process.WorkingSet64 / 1048576.0, _process.PeakWorkingSet64 / 1048576.0);
    }

    /// <summary>Processor time so far, seconds.</summary>
    public double Cpu()
    {
        _process.Refresh();
        return _process.TotalProcessorTime.TotalSeconds;
    }

    /// <summary>A series of its /metrics; NaN when it is not there.</summary>
    public async Task<double> MetricAsync(string series, CancellationToken cancellationToken)
    {
        var text = await _http.GetStringAsync(new Uri("metrics", UriKind.Relative), cancellationToken);
        var line = text.Split('\n').FirstOrDefault(line => line.StartsWith(series + " ", StringComparison.Ordinal));
        return line is null ? double.NaN : double.Parse(line[(series.Length + 1)..], CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _http.Dispose();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
