using Ome.Agent.Files;
using Ome.Agent.Verification.Reading;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;

namespace Ome.Tests.Agent.Reading;

/// <summary>Passes over trees and over lists of paths.</summary>
public sealed class StatPassTests : ReadingFixture
{
    [TearDown]
    public void Nothing_is_left_open() => Calls.Open.Should().BeEmpty();

    [Test, CancelAfter(120_000)]
    public async Task Everything_but_directories_is_visited_once_with_its_stamp(CancellationToken token)
    {
        string[] names = ["config.json", "text_encoder/model.safetensors", "a/b/c/d/deep", "模型/重み.bin", ".cache/huggingface/x.metadata"];
        foreach (var name in names) Make(name, name.Length);
        System.IO.Directory.CreateDirectory(Path.Combine(Directory, "empty/inner"));

        var (end, seen) = await ScanAsync(token);

        end.Should().Be(new StatPassEnd(names.Length, null));
        seen.Select(entry => entry.Path).Should().BeEquivalentTo(names);
        seen.Should().OnlyContain(entry => entry.Type == FileType.Regular && entry.Stamp.Size == entry.Path.Length && entry.Links == 1 && entry.ArtifactPath!.Value.Value == entry.Path);
        var probe = new FileProbe(NewEngine());
        var root = OpenRoot();
        foreach (var entry in seen) probe.Stat(root, entry.ArtifactPath!.Value).Should().BeOfType<FileObservation.Present>().Which.Stamp.Should().Be(entry.Stamp);
    }

    [Test, CancelAfter(120_000)]
    public async Task The_stamp_is_what_stat_says(CancellationToken token)
    {
        var path = Make("f", 12_345);
        File.SetLastWriteTimeUtc(path, new DateTime(2031, 2, 3, 4, 5, 6, 789, DateTimeKind.Utc).AddTicks(1234));

        var (_, seen) = await ScanAsync(token);

        using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("stat", ["-c", "%s %i %d %b", path]) { UseShellExecute = false, RedirectStandardOutput = true })!;
        var expected = (await process.StandardOutput.ReadToEndAsync(token)).Trim();
        var stamp = seen.Single().Stamp;
        $"{stamp.Size} {stamp.Inode} {stamp.Device} {stamp.Blocks}".Should().Be(expected);
        stamp.MtimeNs.Should().Be((File.GetLastWriteTimeUtc(path) - DateTime.UnixEpoch).Ticks * 100);
    }

    [Test, CancelAfter(120_000)]
    public async Task Links_and_special_files_are_reported_and_not_followed(CancellationToken token)
    {
        Make("real/f", 10);
        File.CreateSymbolicLink(Path.Combine(Directory, "to-directory"), "real");
        File.CreateSymbolicLink(Path.Combine(Directory, "to-outside"), "/etc");
        Run("mkfifo", Path.Combine(Directory, "fifo"));

        var (end, seen) = await ScanAsync(token);

        end.Failure.Should().BeNull();
        seen.Select(entry => (entry.Path, entry.Type)).Should().BeEquivalentTo(
            new[] { ("real/f", FileType.Regular), ("to-directory", FileType.Link), ("to-outside", FileType.Link), ("fifo", FileType.Fifo) });
        Calls.Opened.Should().OnlyContain(path => path.StartsWith(Directory, StringComparison.Ordinal));
    }

    [Test, CancelAfter(120_000)]
    public async Task Names_that_cannot_stand_in_a_manifest_are_reported_without_an_artifact_path(CancellationToken token)
    {
        Make("new\nline", 1);
        Make("back\\slash", 1);
        Make("dir\u202Ename/inner", 1);
        Run("sh", "-c", $"printf x > \"$(printf '{Directory}/bad\\377utf8')\"");

        var (end, seen) = await ScanAsync(token);
        Run("find", Directory, "-name", "bad*", "-delete"); // .NET cannot name it, so it could not remove it either

        end.Failure.Should().BeNull();
        seen.Should().OnlyContain(entry => entry.ArtifactPath == null);
        seen.Select(entry => (entry.Path, entry.Type)).Should().BeEquivalentTo(
            new[] { ("new\nline", FileType.Regular), ("back\\slash", FileType.Regular), ("dir\u202Ename", FileType.Directory), ("bad\uFFFDutf8", FileType.Regular) });
    }

    [Test, CancelAfter(120_000)]
    public async Task What_vanishes_during_the_pass_does_not_stop_it(CancellationToken token)
    {
        Make("a/f", 1);
        Make("b/f", 1);
        Make("c", 1);
        Calls.Before = call =>
        {
            if (call is { Site: CallSite.OpenHandle, Nth: 0 }) System.IO.Directory.Delete(Path.Combine(Directory, "a"), recursive: true);
            if (call is { Site: CallSite.OpenHandle, Nth: 0 }) System.IO.Directory.Delete(Path.Combine(Directory, "b"), recursive: true);
        };

        var (end, seen) = await ScanAsync(token);

        end.Failure.Should().BeNull();
        seen.Select(entry => entry.Path).Should().Equal("c");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_list_of_paths_gives_for_each_what_stat_gives(CancellationToken token)
    {
        Make("blobs/b1", 100);
        Make("plain", 50);
        Make("sub/one", 1);
        Make("sub/two", 2);
        File.CreateSymbolicLink(Path.Combine(Directory, "linked"), "blobs/b1");
        File.CreateSymbolicLink(Path.Combine(Directory, "dangling"), "nowhere");
        File.CreateSymbolicLink(Path.Combine(Directory, "alias"), "sub");
        Run("mkfifo", Path.Combine(Directory, "fifo"));
        var paths = new[] { "plain", "sub/one", "sub/two", "sub/three", "no/such", "plain/below-a-file", "linked", "dangling", "alias/one", "fifo", "sub" }.Select(ArtifactPath.Parse).ToList();
        var seen = new FileObservation[paths.Count];
        var (engine, root) = (NewEngine(), OpenRoot());

        var end = await new StatPass(engine).StatAsync(root, paths, (i, look) => seen[i] = look.Observation, token);

        end.Should().Be(new StatPassEnd(paths.Count, null));
        seen.Should().Equal(paths.Select(path => new FileProbe(engine).Stat(root, path)), (one, other) => one.ToString() == other.ToString());
        seen.Select(observation => observation.GetType().Name).Should().Equal(
            "Present", "Present", "Present", "Missing", "Missing", "Missing", "Present", "BadLink", "Present", "WrongType", "WrongType");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_root_that_goes_away_ends_the_list(CancellationToken token)
    {
        Make("root/a", 1);
        Make("root/b", 1);
        var root = OpenRoot(Path.Combine(Directory, "root"));
        System.IO.Directory.Delete(root.Path, recursive: true);
        var visited = 0;

        var end = await new StatPass(NewEngine()).StatAsync(root, [ArtifactPath.Parse("a"), ArtifactPath.Parse("b")], (_, _) => visited++, token);

        end.Failure!.Cause.Should().Be(UnreadableCause.RootUnavailable);
        visited.Should().Be(0);
    }

    [Test, CancelAfter(120_000)]
    public async Task Cancelling_ends_a_pass_with_what_was_seen(CancellationToken token)
    {
        for (var i = 0; i < 50; i++) Make($"f{i}", 1);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(token);
        var visited = 0;

        var end = await new StatPass(NewEngine()).ScanAsync(
            OpenRoot(),
            _ =>
            {
                if (++visited == 10) cancel.Cancel();
            },
            cancel.Token);

        end.Failure.Should().Be(new FileObservation.Unreadable(UnreadableCause.Cancelled, "ECANCELED"));
        SpinWait.SpinUntil(() => Calls.Open.IsEmpty, TimeSpan.FromSeconds(60)).Should().BeTrue();
        visited.Should().Be(10);
    }

    [Test, CancelAfter(600_000)]
    public async Task A_hundred_thousand_files_are_visited_in_bounded_memory(CancellationToken token)
    {
        const int count = 100_000;
        for (var i = 0; i < count; i++)
        {
            if (i % 1000 == 0) System.IO.Directory.CreateDirectory($"{Directory}/d{i / 1000}");
            File.OpenHandle($"{Directory}/d{i / 1000}/model-{i:00000}.safetensors", FileMode.CreateNew, FileAccess.Write).Dispose();
        }

        using var engine = new ReadEngine(Options, Budget, TimeProvider.System);
        using var root = ((ArtifactRootResult.Opened)ArtifactRoot.Open(Directory)).Root;
        var (visited, most) = (0, 0L);
        var before = GC.GetTotalMemory(forceFullCollection: true);

        var end = await new StatPass(engine).ScanAsync(
            root,
            _ =>
            {
                if (++visited % 10_000 == 0) most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true) - before);
            },
            token);

        end.Should().Be(new StatPassEnd(count, null));
        visited.Should().Be(count);
        most.Should().BeLessThan(4L * MiB, "nothing is kept per file");
    }

    private async Task<(StatPassEnd End, List<TreeEntry> Seen)> ScanAsync(CancellationToken token)
    {
        var seen = new List<TreeEntry>();
        var end = await new StatPass(NewEngine()).ScanAsync(OpenRoot(), seen.Add, token);
        return (end, seen);
    }
}
