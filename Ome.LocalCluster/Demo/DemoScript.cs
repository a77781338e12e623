using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Ome.LocalCluster.Demo;

/// <summary>What the demo does and what it must see for each step; nothing is assumed, everything is read back from the API, the disk and /metrics.</summary>
internal sealed class DemoScript(DemoWorld world)
{
    private const string Hub = "tiny-llama";
    private const string Local = "local-tiny";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly DemoView _view = new(world);
    private readonly List<(string What, double Seconds, string Seen)> _summary = [];

    private DemoNode Victim => world.Nodes[1];

    /// <summary>True when everything was observed.</summary>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        await StageAsync(cancellationToken);
        var root = await _view.StoragePathAsync(Victim, Hub, cancellationToken);
        var shard = Directory.GetFiles(root, "*.safetensors").Order(StringComparer.Ordinal).First();
        var good = world.Tree + "/" + Path.GetFileName(shard);
        await DamageAsync("unlink", "FileMissing", shard, good, File.Delete, cancellationToken);
        await DamageAsync("truncate", "SizeMismatch", shard, good, Truncate, cancellationToken);
        await DamageAsync("flip one byte, mtime restored", "DigestMismatch", shard, good, FlipByte, cancellationToken);
        if (world.Cluster.Denied is [var denied, ..]) throw new DemoFailedException($"config/rbac lacks a right: {denied.User} may not {denied.Verb} {denied.Resource}");
        Summarize();
        return true;
    }

    private async Task StageAsync(CancellationToken cancellationToken)
    {
        Say($"On {world.Cluster.Name}: a hub model for {world.Nodes.Count} nodes and a local model on {world.Nodes[0].Name}");
        var started = Stopwatch.GetTimestamp();
        await ApplyModelAsync("clusterbasemodels", Model("ClusterBaseModel", Hub, "hf://demo/tiny-llama", "", null), cancellationToken);
        var directory = Path.Combine(world.Nodes[0].ModelsRoot, "on-disk");
        Fakes.ModelTree.Write(Directory.CreateDirectory(directory).FullName);
        await ApplyModelAsync("namespaces/default/basemodels", Model("BaseModel", Local, "local://" + directory, directory, world.Nodes[0].Name), cancellationToken);

        await UntilAsync($"{Hub} is Ready on {world.Nodes.Count} nodes", async () => (await _view.NodesAsync(Hub, "nodesReady", cancellationToken)).Count == world.Nodes.Count, cancellationToken);
        _summary.Add(("staged from the hub, Ready on all nodes", Stopwatch.GetElapsedTime(started).TotalSeconds, "status.nodesReady"));
        await UntilAsync($"{Local} is Ready", async () => (string?)(await world.Api.GetAsync($"/apis/ome.io/v1beta1/namespaces/default/basemodels/{Local}", cancellationToken))?["status"]?["state"] == "Ready", cancellationToken);
        await UntilAsync("every node has proven it once", async () =>
        {
            foreach (var node in world.Nodes)
            {
                if ((string?)(await _view.CheckAsync(node, Hub, cancellationToken))?["status"]?["result"] != "Valid") return false;
            }

            return true;
        }, cancellationToken);
        await _view.PrintTablesAsync(cancellationToken);
    }

    private async Task DamageAsync(string fault, string reason, string shard, string good, Action<string> damage, CancellationToken cancellationToken)
    {
        Say($"{fault}: {Path.GetFileName(shard)} on {Victim.Name}");
        var (withdrawals, readmissions) = (await WithdrawalsAsync(), await ReadmissionsAsync());
        var started = Stopwatch.GetTimestamp();
        damage(shard);
        await UntilAsync("the node's label is no longer Ready", async () => await _view.LabelAsync(Victim, Hub, cancellationToken) != "Ready", cancellationToken);
        var label = Stopwatch.GetElapsedTime(started).TotalSeconds;
        await UntilAsync("the ConfigMap entry is Failed", async () => (string?)(await _view.EntryAsync(Victim, Hub, cancellationToken))?["status"] == "Failed", cancellationToken);
        await UntilAsync($"the check says {reason}", async () => (string?)(await _view.CheckAsync(Victim, Hub, cancellationToken))?["status"]?["reason"] == reason, cancellationToken);
        await UntilAsync("the model's status moves the node to nodesFailed", async () => (await _view.NodesAsync(Hub, "nodesFailed", cancellationToken)).Contains(Victim.Name) && !(await _view.NodesAsync(Hub, "nodesReady", cancellationToken)).Contains(Victim.Name), cancellationToken);
        var status = Stopwatch.GetElapsedTime(started).TotalSeconds;
        await UntilAsync($"the model's condition says {reason} and names the file", () => _view.ConditionIsAsync(Hub, "ArtifactsIntact", "False", reason, [Victim.Name, Path.GetFileName(shard)], cancellationToken), cancellationToken);
        await UntilAsync("kubectl get clusterbasemodel shows one node less and names it", () => TableShowsAsync(Ready(world.Nodes.Count - 1), "False", Victim.Name, cancellationToken), cancellationToken);
        await UntilAsync("an Event names it", async () => await WithdrawalsAsync() > withdrawals, cancellationToken);
        await UntilAsync("the metric says damaged", () => DemoView.MetricIsAsync(Victim, "model_agent_integrity_damaged", Hub, "1", cancellationToken), cancellationToken);
        await _view.PrintDamageAsync(Victim, Hub, cancellationToken);
        _summary.Add(($"{fault} → label withdrawn", label, reason));
        _summary.Add(($"{fault} → node in status.nodesFailed", status, reason));

        var mended = Stopwatch.GetTimestamp();
        File.Copy(good, shard, overwrite: true);
        await UntilAsync("the label is Ready again", async () => await _view.LabelAsync(Victim, Hub, cancellationToken) == "Ready", cancellationToken);
        await UntilAsync("the model's status lists the node as ready", async () => (await _view.NodesAsync(Hub, "nodesReady", cancellationToken)).Contains(Victim.Name), cancellationToken);
        await UntilAsync("the model's condition is well again", () => _view.ConditionIsAsync(Hub, "ArtifactsIntact", "True", "Verified", [], cancellationToken), cancellationToken);
        await UntilAsync("kubectl get clusterbasemodel shows all nodes", () => TableShowsAsync(Ready(world.Nodes.Count), "True", string.Empty, cancellationToken), cancellationToken);
        _summary.Add(($"{fault}, mended → readmitted after a full check", Stopwatch.GetElapsedTime(mended).TotalSeconds, "NodeReadmitted"));
        await UntilAsync("the ConfigMap entry is Ready again", async () => (string?)(await _view.EntryAsync(Victim, Hub, cancellationToken))?["status"] == "Ready", cancellationToken);
        await UntilAsync("the check says Valid", async () => (string?)(await _view.CheckAsync(Victim, Hub, cancellationToken))?["status"]?["result"] == "Valid", cancellationToken);
        await UntilAsync("an Event tells of it", async () => await ReadmissionsAsync() > readmissions, cancellationToken);
        await UntilAsync("the metric says intact", () => DemoView.MetricIsAsync(Victim, "model_agent_integrity_damaged", Hub, "0", cancellationToken), cancellationToken);

        Task<int> WithdrawalsAsync() => _view.EventsAsync(Hub, "NodeWithdrawn", Path.GetFileName(shard), cancellationToken);
        Task<int> ReadmissionsAsync() => _view.EventsAsync(Hub, "NodeReadmitted", Victim.Name, cancellationToken);
    }

    private async Task<bool> TableShowsAsync(string nodes, string intact, string damaged, CancellationToken cancellationToken)
    {
        var row = await _view.RowAsync(Hub, cancellationToken);
        return row["Ready"] == "Ready" && row["Nodes"] == nodes && row["Intact"] == intact && row["Damaged"].Contains(damaged, StringComparison.Ordinal) && (damaged.Length > 0 || row["Damaged"] is "" or "<none>");
    }

    private string Ready(int count) => FormattableString.Invariant($"{count}/{world.Nodes.Count}");

    private void Summarize()
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("Observed").AddColumn(new TableColumn("Seconds").RightAligned()).AddColumn("Seen as");
        foreach (var (what, seconds, seen) in _summary) table.AddRow(Markup.Escape(what), seconds.ToString("F2", CultureInfo.InvariantCulture), Markup.Escape(seen));
        AnsiConsole.WriteLine();
        AnsiConsole.Write(table);
        AnsiConsole.WriteLine("Everything was observed.");
    }

    private async Task UntilAsync(string what, Func<Task<bool>> holds, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await holds())
        {
            if (world.Trouble() is { } trouble) throw new DemoFailedException(trouble);
            if (Stopwatch.GetElapsedTime(started) > Patience) throw new DemoFailedException($"waited {Patience.TotalSeconds:F0} s in vain: {what}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
        }

        AnsiConsole.MarkupLineInterpolated($"  [green]✓[/] {what}");
    }

    private Task ApplyModelAsync(string collection, JsonObject model, CancellationToken cancellationToken) =>
        world.Api.CreateAsync("/apis/ome.io/v1beta1/" + collection, model, cancellationToken);

    private static JsonObject Model(string kind, string name, string uri, string path, string? node)
    {
        var storage = new JsonObject { ["storageUri"] = uri, ["path"] = path };
        if (node is not null) storage["nodeSelector"] = new JsonObject { ["kubernetes.io/hostname"] = node };
        return new JsonObject
        {
            ["apiVersion"] = "ome.io/v1beta1",
            ["kind"] = kind,
            ["metadata"] = new JsonObject { ["name"] = name },
            ["spec"] = new JsonObject { ["storage"] = storage },
        };
    }

    private static void Say(string text)
    {
        AnsiConsole.WriteLine();
        AnsiConsole.MarkupLineInterpolated($"[bold]» {text}[/]");
    }

    private static void Truncate(string path)
    {
        using var file = new FileStream(path, FileMode.Open);
        file.SetLength(file.Length / 2);
    }

    /// <summary>What bit rot under a copied time stamp looks like: same size, same mtime, other content.</summary>
    private static void FlipByte(string path)
    {
        var mtime = File.GetLastWriteTimeUtc(path);
        using (var file = new FileStream(path, FileMode.Open))
        {
            file.Position = file.Length - 1;
            var value = file.ReadByte();
            file.Position = file.Length - 1;
            file.WriteByte((byte)(value ^ 0x10));
        }

        File.SetLastWriteTimeUtc(path, mtime);
    }
}
