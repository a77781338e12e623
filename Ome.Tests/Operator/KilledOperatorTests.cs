using System.Diagnostics;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;

namespace Ome.Tests.Operator;

/// <summary>The operator as a process, killed at any moment while nodes, reports and models change: the status ends as the fold of what is there.</summary>
public sealed class KilledOperatorTests : OperatorFixture
{
    private const int Nodes = 8;
    private readonly List<Process> _running = [];

    protected override Task BeforeOperatorAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [TearDown]
    public async Task KillAsync()
    {
        foreach (var process in _running) await EndAsync(process);
        _running.Clear();
    }

    [Test, CancelAfter(60_000)]
    public Task Three_kills_end_in_the_right_status(CancellationToken cancellationToken) => RunAsync(kills: 3, seed: 1, cancellationToken);

    [Test, Category("Campaign"), CancelAfter(900_000)]
    public Task A_hundred_kills_end_in_the_right_status(CancellationToken cancellationToken) => RunAsync(kills: 100, seed: 2, cancellationToken);

    private async Task RunAsync(int kills, int seed, CancellationToken cancellationToken)
    {
        if (Operator is not null) await StopOperatorAsync(Operator);
        Operator = null;
        var random = new Random(seed);
        var nodes = new List<string>();
        for (var i = 0; i < Nodes; i++) nodes.Add(await NodeAsync(cancellationToken));
        List<ModelKey> models = [await ModelAsync(cancellationToken), await ModelAsync(cancellationToken), await ModelAsync(cancellationToken)];
        var ready = models.ToDictionary(static model => model, static _ => new SortedSet<string>(StringComparer.Ordinal));

        for (var kill = 0; kill < kills; kill++)
        {
            var process = Start();
            var changes = random.Next(1, 12);
            for (var i = 0; i < changes; i++)
            {
                var (model, node) = (models[random.Next(models.Count)], nodes[random.Next(nodes.Count)]);
                var isReady = random.Next(3) > 0;
                await ReportAsync(node, model, isReady ? NodeModelState.Ready : NodeModelState.Failed, cancellationToken);
                _ = isReady ? ready[model].Add(node) : ready[model].Remove(node);
                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(60)), TimeProvider.System, cancellationToken);
            }

            // A node goes and comes back under the same name, now and then while nobody looks.
            var gone = nodes[random.Next(nodes.Count)];
            if (random.Next(3) == 0) await EndAsync(process);
            await DeleteNodeAsync(gone, cancellationToken);
            nodes.Remove(gone);
            foreach (var set in ready.Values) set.Remove(gone);
            nodes.Add(await NodeAsync(cancellationToken));
            await EndAsync(process);
        }

        Start();
        foreach (var model in models)
        {
            var found = await UntilAsync(model, one => one.Status?.NodesReady is { } list && list.SequenceEqual(ready[model], StringComparer.Ordinal), cancellationToken);
            found.Metadata.Finalizers.Should().Equal("clusterbasemodels.ome.io/finalizer");
        }

        var live = nodes.ToHashSet(StringComparer.Ordinal);
        foreach (var report in Reports.All.Select(static report => report.Metadata.Name).Where(name => name.StartsWith("gpu-", StringComparison.Ordinal) && !live.Contains(name)))
        {
            await Reports.UntilAsync(Namespace, report, static found => found is null, cancellationToken);
        }
    }

    private Process Start()
    {
        string[] arguments = [Path.Combine(AppContext.BaseDirectory, "ome-operator.dll"), "--host", "127.0.0.1", "--port", "0", "--leader-elect", "false", "--namespace", Namespace, "--log-level", "error"];
        var start = new ProcessStartInfo("dotnet", arguments) { UseShellExecute = false, RedirectStandardOutput = true };
        start.Environment["KUBECONFIG"] = Plane.KubeconfigPath;
        var process = Process.Start(start) ?? throw new InvalidOperationException("the operator did not start");
        process.OutputDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        _running.Add(process);
        return process;
    }

    private static async Task EndAsync(Process process)
    {
        if (!process.HasExited) process.Kill();
        await process.WaitForExitAsync();
    }
}
