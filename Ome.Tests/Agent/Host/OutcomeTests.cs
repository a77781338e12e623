using System.Diagnostics;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Support;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Host;

/// <summary>
/// What becomes of a Ready model for each thing that can happen to its files, told by everything the agent says: label, entry, ModelIntegrityCheck, Event
/// and metrics agree, and when the files are back, a full deep pass readmits it.
/// </summary>
[Parallelizable]
public sealed class OutcomeTests
{
    /// <summary>Something that happens to a model's directory, and how it is undone.</summary>
    /// <param name="Name">For the list of tests.</param>
    /// <param name="Reason">What must be said of it.</param>
    /// <param name="Happens">Given the directory and its first shard.</param>
    /// <param name="Undo">Given the same, and a good copy of the shard.</param>
    public sealed record Damage(string Name, string Reason, Action<string, string> Happens, Action<string, string, string> Undo)
    {
        public override string ToString() => Name;
    }

    private const string Checks = "model_agent_ready_artifact_check_results_total";

    private static IEnumerable<Damage> Damages =>
    [
        new("unlink", "FileMissing", static (_, shard) => File.Delete(shard), PutBack),
        new("truncate", "SizeMismatch", static (_, shard) => Truncate(shard), PutBack),
        new("same-size rewrite under a restored mtime", "DigestMismatch", static (_, shard) => Rot(shard), PutBack),
        new("a directory in place of a file", "UnexpectedType", static (_, shard) => Replace(shard), static (_, shard, good) => { Directory.Delete(shard); File.Copy(good, shard); }),
        new("directory renamed", "FileMissing", static (directory, _) => Directory.Move(directory, directory + ".old"), static (directory, _, _) => Directory.Move(directory + ".old", directory)),
        new("directory renamed, put back as a copy", "FileMissing", static (directory, _) => Directory.Move(directory, directory + ".old"), static (directory, _, _) => Copy(directory + ".old", directory)),
    ];

    [TestCaseSource(nameof(Damages))]
    [CancelAfter(180_000)]
    public async Task Damage_is_withdrawn_everywhere_and_readmitted_after_a_full_deep_pass(Damage damage, CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await node.StartAsync(cancellationToken: token);
        var (model, directory, shard, good) = await ReadyAsync(node, token);

        damage.Happens(directory, shard);
        await WithdrawnAsync(node, model, damage.Reason, token);
        damage.Undo(directory, shard, good);
        await ReadmittedAsync(node, model, token);

        // What is watched now is what lies there now, not what lay there before.
        File.Delete(shard);
        await WithdrawnAsync(node, model, "FileMissing", token);
    }

    [TestCase("unlink")]
    [TestCase("truncate")]
    [TestCase("same-size rewrite under a restored mtime")]
    [TestCase("directory renamed")]
    [CancelAfter(180_000)]
    public async Task Without_the_kernels_word_the_next_basic_check_finds_it(string name, CancellationToken token)
    {
        var damage = Damages.Single(one => one.Name == name);
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await node.StartAsync(
            options =>
            {
                options.Watch = false;
                options.IntegrityInterval = TimeSpan.FromSeconds(1);
            },
            token);
        var (model, directory, shard, _) = await ReadyAsync(node, token);

        damage.Happens(directory, shard);
        var before = await node.ChecksAsync(("name", model), ("result", "Valid"));
        await WithdrawnAsync(node, model, damage.Reason, token);

        // One may have looked at the file just before, and ended after.
        (await node.ChecksAsync(("name", model), ("result", "Valid")) - before).Should().BeLessThanOrEqualTo(1, "one interval is enough");
    }

    [Test]
    [CancelAfter(180_000)]
    public async Task Files_that_may_not_be_read_are_inconclusive_and_stay_ready(CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await using var agent = StartBoundByPermissions(node);
        var (model, directory, shard, _) = await ReadyAsync(node, token);
        await using var told = new LogOnFailure(agent);

        foreach (var path in new[] { shard, directory })
        {
#pragma warning disable CA1416 // the agent runs on Linux only
            var mode = File.GetUnixFileMode(path);
            File.SetUnixFileMode(path, UnixFileMode.None);
            await InconclusiveAsync(node, model, "PermissionDenied", token);
            new MetricsText(await agent.MetricsAsync(token)).Value(Checks, ("name", model), ("result", "Inconclusive"), ("reason", "PermissionDenied")).Should().BePositive();
            File.SetUnixFileMode(path, mode);
#pragma warning restore CA1416
            await node.WaitForCheckAsync(model, check => check.Status.Result == "Valid", token);
        }

        (await node.EventsAsync(model)).Should().NotContain(one => one.Reason == "NodeWithdrawn");
    }

    [Test]
    [CancelAfter(180_000)]
    public async Task A_disk_that_is_gone_is_inconclusive_and_damage_on_it_is_found_once_it_is_back(CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        using var disk = MountedDisk.On(Path.Combine(node.ModelsRoot, "disk"));
        await node.StartAsync(options => options.IntegrityInterval = TimeSpan.FromSeconds(1), token);
        var (model, _, shard, good) = await ReadyAsync(node, token, "disk/model");

        disk.Unmount();
        await InconclusiveAsync(node, model, "RootUnavailable", token);
        (await node.ChecksAsync(("name", model), ("result", "Inconclusive"), ("reason", "RootUnavailable"))).Should().BePositive();
        (await node.EventsAsync(model)).Should().NotContain(one => one.Reason == "NodeWithdrawn");

        disk.Mount();
        await node.WaitForCheckAsync(model, check => check.Status.Result == "Valid", token);
        File.Delete(shard);
        await WithdrawnAsync(node, model, "FileMissing", token);
        File.Copy(good, shard);
        await ReadmittedAsync(node, model, token);
    }

    /// <summary>A Ready model that was proven once, and a copy of its first shard.</summary>
    private static async Task<(string Model, string Directory, string Shard, string Good)> ReadyAsync(AgentFixture node, CancellationToken token, string name = "model")
    {
        var directory = node.WriteModel(name);
        var model = "outcome-" + node.NodeName;
        await node.ApplyClusterModelAsync(model, "local://" + directory, null, token);
        await node.WaitForAsync(model, NodeModelState.Ready, token);
        await node.WaitForCheckAsync(model, check => check.Status is { Result: "Valid", OldestProofTime: not null }, token);
        var shard = Directory.GetFiles(directory, "*.safetensors").Order(StringComparer.Ordinal).First();
        var good = Path.Combine(node.ModelsRoot, "good");
        File.Copy(shard, good);
        return (model, directory, shard, good);
    }

    private static async Task WithdrawnAsync(AgentFixture node, string model, string reason, CancellationToken token)
    {
        await node.WaitForAsync(model, NodeModelState.Failed, token);
        var check = await node.WaitForCheckAsync(model, found => found.Status.Result == "Invalid", token);
        check.Status.Reason.Should().Be(reason);
        check.Status.Conditions.Should().ContainSingle(condition => condition.Type == "Intact" && condition.Status == "False" && condition.Reason == reason);
        var entry = await node.EntryAsync(model);
        entry!.Validation!.Result.Should().Be("Invalid");
        entry.Validation.Reason.Should().Be(reason);
        entry.Validation.Message.Should().Be(check.Status.Message);
        var told = await UntilEventAsync(node, model, "NodeWithdrawn", check.Status.Message!, token);
        told.Type.Should().Be("Warning");
        told.InvolvedObject.Kind.Should().Be("ClusterBaseModel");
        var metrics = await node.MetricsAsync();
        metrics.Value(Checks, ("name", model), ("result", "Invalid"), ("reason", reason)).Should().BePositive();
        metrics.Value("model_agent_integrity_damaged", ("name", model)).Should().Be(1);
        metrics.Value("model_agent_integrity_withdrawals_total", ("name", model), ("reason", reason)).Should().BePositive();
    }

    private static async Task ReadmittedAsync(AgentFixture node, string model, CancellationToken token)
    {
        await node.WaitForAsync(model, NodeModelState.Ready, token);
        var check = (await node.CheckAsync(model))!;
        check.Status.Result.Should().Be("Valid");
        check.Status.Mode.Should().Be("Deep");
        check.Status.BytesChecked.Should().Be(check.Status.BytesTotal, "every byte is read before it is advertised again");
        check.Status.Findings.Should().BeNullOrEmpty();
        (await node.EntryAsync(model))!.Validation!.Result.Should().Be("Valid");
        await UntilEventAsync(node, model, "NodeReadmitted", "is intact again", token);
        var metrics = await node.MetricsAsync();
        metrics.Value("model_agent_integrity_damaged", ("name", model)).Should().Be(0);
        metrics.Value("model_agent_integrity_readmissions_total", ("name", model)).Should().BePositive();
    }

    private static async Task InconclusiveAsync(AgentFixture node, string model, string reason, CancellationToken token)
    {
        var check = await node.WaitForCheckAsync(model, found => found.Status.Result == "Inconclusive", token);
        check.Status.Reason.Should().Be(reason);
        check.Status.Conditions.Should().ContainSingle(condition => condition.Type == "Intact" && condition.Status == "Unknown");
        (await node.LabelAsync(model)).Should().Be("Ready");
        var entry = await node.EntryAsync(model);
        while (entry!.Validation!.Result != "Inconclusive")
        {
            // The check is written before the entry here: a model that stays Ready is admitted again.
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, token);
            entry = await node.EntryAsync(model);
        }

        entry.Status.Should().Be("Ready");
        entry.Validation.Reason.Should().Be(reason);
    }

    private static async Task<k8s.Models.Corev1Event> UntilEventAsync(AgentFixture node, string model, string reason, string message, CancellationToken token)
    {
        while (true)
        {
            if ((await node.EventsAsync(model)).FirstOrDefault(one => one.Reason == reason && one.Message.Contains(message, StringComparison.Ordinal)) is { } found) return found;
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, token);
        }
    }

    /// <summary>An agent that permissions bind: root keeps its uid but not its capability to pass over them.</summary>
    private static ProgramProcess StartBoundByPermissions(AgentFixture node)
    {
        if (!Environment.IsPrivilegedProcess) return AgentProcess.Start(node);
        if (!File.Exists("/usr/bin/setpriv")) Assert.Ignore("root passes over permissions, and setpriv (util-linux), which takes that away, is not installed");
        return AgentProcess.Start(node, launcher: ["/usr/bin/setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--inh-caps", "-dac_override,-dac_read_search"]);
    }

    private static void PutBack(string directory, string shard, string good) => File.Copy(good, shard, overwrite: true);

    private static void Truncate(string path)
    {
        using var file = new FileStream(path, FileMode.Open);
        file.SetLength(file.Length / 2);
    }

    /// <summary>Same size, same mtime, other content.</summary>
    private static void Rot(string path)
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

    private static void Replace(string path)
    {
        File.Delete(path);
        Directory.CreateDirectory(path);
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from)) File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
    }

    private sealed class LogOnFailure(ProgramProcess program) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            TestContext.Out.WriteLine(program.Log);
            return ValueTask.CompletedTask;
        }
    }

    /// <summary>A file system of memory that comes and goes at a place, as a disk does.</summary>
    private sealed class MountedDisk : IDisposable
    {
        private readonly string _kept = Directory.CreateTempSubdirectory("ome-disk-").FullName;
        private readonly string _place;

        private MountedDisk(string place) => _place = Directory.CreateDirectory(place).FullName;

        /// <summary>Mounted; where that is not allowed the test is skipped and says why.</summary>
        public static MountedDisk On(string place)
        {
            if (!Environment.IsPrivilegedProcess) Assert.Ignore("only root may mount and unmount");
            var disk = new MountedDisk(place);
            if (Run("mount", "-t", "tmpfs", "-o", "size=16m", "none", disk._kept) != 0)
            {
                Directory.Delete(disk._kept);
                Assert.Ignore("this root may not mount: CAP_SYS_ADMIN was taken from it");
            }

            disk.Mount();
            return disk;
        }

        public void Mount() => Run("mount", "--bind", _kept, _place).Should().Be(0);

        public void Unmount() => Run("umount", "--lazy", _place).Should().Be(0);

        public void Dispose()
        {
            Run("umount", "--lazy", _place);
            Run("umount", "--lazy", _kept);
            Directory.Delete(_kept);
        }

        private static int Run(string program, params string[] arguments)
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, UseShellExecute = false })!;
            process.WaitForExit();
            return process.ExitCode;
        }
    }
}
