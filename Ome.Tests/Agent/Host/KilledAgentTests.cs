using Ome.LocalCluster.Fakes;
using Ome.LocalCluster.Faults;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Support;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Host;

/// <summary>
/// The agent's process, killed with -9 at each thing it writes: to the API server (before and after the write) and to its state directory. Started again, it ends at what the
/// files are: label, entry and check agree, no verdict is lost, and none is ever shown that was not true.
/// </summary>
[Parallelizable]
public sealed class KilledAgentTests
{
    /// <summary>A write to the API server, and the how manieth of a path.</summary>
    public sealed record Step(string Name, string Verb, string Resource, string? Subresource = null, int Skip = 0);

    private static readonly Step Label = new("label", "patch", "nodes");
    private static readonly Step Entry = new("entry", "patch", "configmaps");
    private static readonly Step Check = new("check", "patch", "modelintegritychecks", "status");
    private static readonly Step Event = new("event", "create", "events");

    private static readonly Step[] Staging =
    [
        Label with { Name = "label of the start" }, Entry with { Name = "entry of the start" }, new("no check yet", "delete", "modelintegritychecks"),
        new("new check", "create", "modelintegritychecks"), Check, Entry with { Skip = 1 }, Label with { Skip = 1 }, Event,
    ];

    [Test, CancelAfter(300_000)]
    public Task Killed_halfway_through_the_writes_of_a_withdrawal_and_a_readmission(CancellationToken token) => WithdrawAndReadmitAsync([Entry, Event], [true], token);

    [Test, Category("Campaign"), CancelAfter(900_000)]
    public Task Killed_before_and_after_each_write_of_a_withdrawal_and_a_readmission(CancellationToken token) => WithdrawAndReadmitAsync([Label, Entry, Check, Event], [false, true], token);

    [Test, CancelAfter(300_000)]
    public Task Killed_at_the_first_files_it_writes_for_a_withdrawal_and_a_readmission(CancellationToken token) => WithdrawAndReadmitOnDiskAsync(most: 2, token);

    [Test, Category("Campaign"), CancelAfter(900_000)]
    public Task Killed_at_each_file_it_writes_for_a_withdrawal_and_a_readmission(CancellationToken token) => WithdrawAndReadmitOnDiskAsync(most: 100, token);

    [Test, CancelAfter(300_000)]
    public Task Killed_at_some_writes_of_a_staging(CancellationToken token) => StageAsync([Staging[1], Staging[6]], [true], mostFiles: 1, token);

    [Test, Category("Campaign"), CancelAfter(1_200_000)]
    public Task Killed_at_each_write_of_a_staging(CancellationToken token) => StageAsync(Staging, [false, true], mostFiles: 100, token);

    private static async Task WithdrawAndReadmitAsync(Step[] steps, bool[] done, CancellationToken token)
    {
        await using var plane = await ControlPlanes.StartAsync(token);
        var faults = plane.RequireFaults();
        await using var node = await AgentFixture.CreateAsync(plane, token);
        await using var bed = await LocalBed.ReadyAsync(node, token);
        foreach (var (step, isDone) in steps.SelectMany(step => done.Select(isDone => (step, isDone))))
        {
            foreach (var damaged in new[] { true, false })
            {
                var what = $"{(damaged ? "withdrawal" : "readmission")}, killed {(isDone ? "after" : "before")} the {step.Name}";
                // An Event that was there before is counted up, not created.
                using (var hit = faults.Add(Rule(step, isDone)))
                using (var other = faults.Add(Rule(step with { Verb = "update" }, isDone)))
                {
                    bed.SetDamaged(damaged);
                    await UntilAsync(() => hit.Hits + other.Hits > 0, what, token);
                    await bed.Agent.KillAsync();
                }

                await bed.RestartAndConvergeAsync(damaged, what, token);
            }
        }
    }

    private static async Task WithdrawAndReadmitOnDiskAsync(int most, CancellationToken token)
    {
        await using var plane = await ControlPlanes.StartAsync(token);
        await using var node = await AgentFixture.CreateAsync(plane, token);
        await using var bed = await LocalBed.ReadyAsync(node, token);
        var kills = 0;
        foreach (var damaged in new[] { true, false })
        {
            for (var file = 1; file <= most; file++)
            {
                using var killer = new KillerAtFile(bed.Agent, node.ModelsRoot, file);
                var what = $"{(damaged ? "withdrawal" : "readmission")}, killed at file event {file}";
                bed.SetDamaged(damaged);
                await UntilAsync(async () => bed.Agent.HasExited || await bed.IsConvergedAsync(damaged), what, token);
                var killed = killer.HasFired;
                if (killed) kills++;
                await bed.Agent.KillAsync();
                await bed.RestartAndConvergeAsync(damaged, what, token);
                bed.SetDamaged(!damaged);
                await bed.ConvergeAsync(!damaged, "back to where it was", token);
                if (!killed) break;
            }

            bed.SetDamaged(damaged);
            await bed.ConvergeAsync(damaged, "on to the other path", token);
        }

        TestContext.Out.WriteLine($"{kills} kills at files");
        kills.Should().BeGreaterThanOrEqualTo(2, "both paths write a ledger and a record, each first beside its place");
    }

    private static async Task StageAsync(Step[] steps, bool[] done, int mostFiles, CancellationToken token)
    {
        using var tree = new TempDirectory();
        ModelTree.Write(tree.Path);
        await using var hub = await FakeHub.StartAsync(cancellationToken: token);
        hub.AddDirectory("demo/tiny", tree.Path);
        await using var plane = await ControlPlanes.StartAsync(token);
        var faults = plane.RequireFaults();
        await using var node = await AgentFixture.CreateAsync(plane, token);
        var (kills, serial) = (0, 0);
        foreach (var (step, isDone) in steps.SelectMany(step => done.Select(isDone => (step, isDone))))
        {
            FaultHandle? hit = null;
            await StageOneAsync(
                $"staging, killed {(isDone ? "after" : "before")} the {step.Name}",
                _ =>
                {
                    hit = faults.Add(Rule(step, isDone));
                    return hit;
                },
                async agent =>
                {
                    if (hit!.Hits > 0) await agent.KillAsync();
                });
        }

        for (var file = 1; file <= mostFiles; file++)
        {
            var before = kills;
            await StageOneAsync($"staging, killed at file event {file}", agent => new KillerAtFile(agent, node.ModelsRoot, file), static _ => Task.CompletedTask);
            if (kills == before) break;
        }

        TestContext.Out.WriteLine($"{kills} kills");
        kills.Should().BeGreaterThanOrEqualTo(Math.Min(mostFiles, 6) + (steps.Length / 2), "most must die before they are done");

        async Task StageOneAsync(string what, Func<ProgramProcess, IDisposable> arm, Func<ProgramProcess, Task> look)
        {
            var model = $"staged-{++serial}-{node.NodeName}";
            var directory = Path.Combine(node.ModelsRoot, $"tiny-{serial}");
            await using var labels = new LabelHistory(plane.Admin, node.NodeName, model);
            await using (var victim = Start(node, hub))
            {
                await victim.UntilReadyAsync(token);
                using (arm(victim))
                {
                    await node.ApplyClusterModelAsync(model, "hf://demo/tiny", directory, token);
                    await UntilAsync(
                        async () =>
                        {
                            await look(victim);
                            return victim.HasExited || await node.LabelAsync(model) == "Ready";
                        },
                        what, token);
                }

                if (victim.HasExited) kills++;
                await victim.KillAsync();
            }

            await using var agent = Start(node, hub);
            await node.WaitForAsync(model, NodeModelState.Ready, token);
            await node.WaitForCheckAsync(model, check => check.Status.Result == "Valid", token);
            foreach (var (path, bytes) in TestFiles.Tree(tree.Path)) TestFiles.Bytes(directory, path).AsSpan().SequenceEqual(bytes).Should().BeTrue("{0}: {1}", what, path);
            (await labels.TakeUntilAsync("Ready", token)).Should().BeSubsetOf([null, "Updating", "Ready"], what);
            // Each staging begins alone: what others left would be told of at the start.
            await node.DeleteClusterModelAsync(model, token);
            await node.WaitForAsync(model, NodeModelState.Deleted, token);
            Directory.Exists(directory).Should().BeFalse(what);
        }
    }

    private static ProgramProcess Start(AgentFixture node, FakeHub? hub = null) => AgentProcess.Start(
        node, arguments: hub is null ? ["--log-level", "warn"] : ["--log-level", "warn", "--hf-endpoint", hub.Endpoint]);

    /// <summary>The agent gets no answer, so that it writes nothing more before it is killed.</summary>
    private static FaultRule Rule(Step step, bool isDone) => new()
    {
        Verb = step.Verb,
        Resource = step.Resource,
        Subresource = step.Subresource,
        Skip = step.Skip,
        LoseAnswer = isDone,
        CutConnection = !isDone,
    };

    private static Task UntilAsync(Func<bool> holds, string what, CancellationToken token) => UntilAsync(() => Task.FromResult(holds()), what, token);

    private static async Task UntilAsync(Func<Task<bool>> holds, string what, CancellationToken token)
    {
        try
        {
            while (!await holds()) await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, token);
        }
        catch (OperationCanceledException cancelled)
        {
            throw new AssertionException("It did not come to be: " + what, cancelled);
        }
    }

    /// <summary>A model on the node, its agent, and what was shown of it.</summary>
    private sealed class LocalBed : IAsyncDisposable
    {
        private readonly AgentFixture _node;
        private readonly string _model;
        private readonly string _shard;
        private readonly LabelHistory _labels;

        private LocalBed(AgentFixture node, string model, string shard, LabelHistory labels) => (_node, _model, _shard, _labels, Agent) = (node, model, shard, labels, Start(node));

        public ProgramProcess Agent { get; private set; }

        public static async Task<LocalBed> ReadyAsync(AgentFixture node, CancellationToken token)
        {
            var directory = node.WriteModel("killed");
            var model = "killed-" + node.NodeName;
            var bed = new LocalBed(node, model, Directory.GetFiles(directory, "*.safetensors").Order(StringComparer.Ordinal).First(), new LabelHistory(node.Plane.Admin, node.NodeName, model));
            try
            {
                await node.ApplyClusterModelAsync(model, "local://" + directory, null, token);
                await node.WaitForCheckAsync(model, check => check.Status is { Result: "Valid", OldestProofTime: not null }, token);
                await bed.ConvergeAsync(damaged: false, "at first", token);
                return bed;
            }
            catch
            {
                await bed.DisposeAsync();
                throw;
            }
        }

        public void SetDamaged(bool damaged)
        {
            var aside = _node.ModelsRoot + "/aside";
            if (damaged) File.Move(_shard, aside);
            else File.Move(aside, _shard);
        }

        public async Task<bool> IsConvergedAsync(bool damaged) =>
            await _node.LabelAsync(_model) == (damaged ? "Failed" : "Ready") && (await _node.CheckAsync(_model))?.Status.Result == (damaged ? "Invalid" : "Valid");

        public async Task RestartAndConvergeAsync(bool damaged, string what, CancellationToken token)
        {
            await Agent.DisposeAsync();
            Agent = Start(_node);
            await ConvergeAsync(damaged, what, token);
        }

        public async Task ConvergeAsync(bool damaged, string what, CancellationToken token)
        {
            var (state, result) = damaged ? (NodeModelState.Failed, "Invalid") : (NodeModelState.Ready, "Valid");
            try
            {
                await _node.WaitForAsync(_model, state, token);
                var check = await _node.WaitForCheckAsync(_model, found => found.Status.Result == result, token);
                check.Status.Reason.Should().Be(damaged ? "FileMissing" : null, what);
                // Of a model's first check the entry is told last.
                await UntilAsync(async () => (await _node.EntryAsync(_model))?.Validation is { } shown && (shown.Result, shown.Reason) == (check.Status.Result, check.Status.Reason), what + ", in the entry", token);
            }
            catch (OperationCanceledException cancelled)
            {
                throw new AssertionException($"{what}: label {await _node.LabelAsync(_model)}, check {(await _node.CheckAsync(_model))?.Status.Result}; the agent's log:\n{Agent.Log}", cancelled);
            }

            var shown = await _labels.TakeUntilAsync(state.ToWire(), token);
            shown.SkipWhile(value => value != state.ToWire()).Should().AllBe(state.ToWire(), "{0}: once the truth is shown it stays, but {1} was seen", what, string.Join(" → ", shown));
        }

        public async ValueTask DisposeAsync()
        {
            await Agent.DisposeAsync();
            await _labels.DisposeAsync();
        }
    }

    /// <summary>Kills at the n-th creation, renaming or removal of a file in the state directory.</summary>
    private sealed class KillerAtFile : IDisposable
    {
        private readonly FileSystemWatcher _watcher;
        private int _seen;

        public KillerAtFile(ProgramProcess agent, string modelsRoot, int at)
        {
            _watcher = new FileSystemWatcher(Path.Combine(modelsRoot, ".ome", "models")) { IncludeSubdirectories = true, NotifyFilter = NotifyFilters.FileName };
            _watcher.Created += (_, _) => See();
            _watcher.Renamed += (_, _) => See();
            _watcher.Deleted += (_, _) => See();
            _watcher.EnableRaisingEvents = true;

            void See()
            {
                if (Interlocked.Increment(ref _seen) != at) return;
                agent.Kill();
                HasFired = true;
            }
        }

        /// <summary>The file came, and the kill was sent; that it was shown before is no matter.</summary>
        public bool HasFired { get; private set; }

        public void Dispose() => _watcher.Dispose();
    }
}
