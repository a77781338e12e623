using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Ome.Tests.Support;

/// <summary>One of our programs as a process of its own: for what only a process can show (being killed, another user's rights, its log).</summary>
internal sealed class ProgramProcess : IAsyncDisposable
{
    private static readonly HttpClient Http = new();

    private readonly Process _process;
    private readonly int _port;
    private readonly Lock _gate = new();
    private readonly List<string> _log = [];
    private readonly List<(Func<string, bool> Fits, TaskCompletionSource<string> Seen)> _waiting = [];

    private ProgramProcess(Process process, int port)
    {
        (_process, _port) = (process, port);
        process.OutputDataReceived += (_, line) => Take(line.Data);
        process.ErrorDataReceived += (_, line) => Take(line.Data);
    }

    public bool HasExited => _process.HasExited;

    /// <summary>Its number, as under /proc.</summary>
    public string Id => _process.Id.ToString(CultureInfo.InvariantCulture);

    /// <summary>Everything it wrote so far.</summary>
    public string Log
    {
        get
        {
            lock (_gate) return string.Join('\n', _log);
        }
    }

    /// <summary>Starts a program.</summary>
    /// <param name="program">File name of an assembly beside the tests, or path of a program compiled ahead of time.</param>
    /// <param name="arguments">Its arguments, given the port of its probes and metrics.</param>
    /// <param name="environment">Over the environment of the tests; null takes one away.</param>
    /// <param name="launcher">A command that runs it for us, e.g. with fewer rights.</param>
    public static ProgramProcess Start(string program, Func<int, IEnumerable<string>> arguments, IReadOnlyDictionary<string, string?> environment, params IReadOnlyList<string> launcher)
    {
        var port = FreePort();
        string[] named = Path.IsPathRooted(program) ? [program] : ["dotnet", Path.Combine(AppContext.BaseDirectory, program)];
        string[] command = [.. launcher, .. named, .. arguments(port)];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        // A short life is all start-up: what pays off later only slows it down.
        start.Environment["DOTNET_TieredPGO"] = "0";
        foreach (var (name, value) in environment) start.Environment[name] = value;
        var running = new ProgramProcess(new Process { StartInfo = start }, port);
        running._process.Start();
        running._process.BeginOutputReadLine();
        running._process.BeginErrorReadLine();
        return running;
    }

    public Task<string> MetricsAsync(CancellationToken cancellationToken) => Http.GetStringAsync(new Uri($"http://127.0.0.1:{_port}/metrics"), cancellationToken);

    /// <summary>Waits until its readiness probe is answered with ok.</summary>
    public async Task UntilReadyAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                using var answer = await Http.GetAsync(new Uri($"http://127.0.0.1:{_port}/readyz"), cancellationToken);
                if (answer.IsSuccessStatusCode) return;
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
        }
    }

    /// <summary>A line of its log, written already or to come.</summary>
    public async Task<string> UntilLogAsync(Func<string, bool> fits, CancellationToken cancellationToken)
    {
        var seen = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_log.Find(line => fits(line)) is { } line) return line;
            _waiting.Add((fits, seen));
        }

        try
        {
            return await seen.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException cancelled)
        {
            throw new AssertionException("The line did not come. The log:\n" + Log, cancelled);
        }
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
    }

    /// <summary>kill -9 without waiting, from any thread.</summary>
    public void Kill()
    {
        try
        {
            // Only the process itself: looking for its children takes long enough for it to go on writing, and it has none.
            _process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It is gone already.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process.Dispose();
    }

    private void Take(string? line)
    {
        if (line is null) return;
        lock (_gate)
        {
            _log.Add(line);
            foreach (var one in _waiting.Where(one => one.Fits(line)).ToList())
            {
                _waiting.Remove(one);
                one.Seen.TrySetResult(line);
            }
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
