using Ome.Agent.Verification.Reading;
using Ome.Agent.Verification.Reading.Linux;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;

namespace Ome.Tests.Agent.Reading;

/// <summary>The kernel says no: once, or every time, at each site; and files that change while they are read.</summary>
public sealed class FaultTests : ReadingFixture
{
    private static readonly CallSite[] ReadingSites = [CallSite.OpenHandle, CallSite.Stat, CallSite.Reopen, CallSite.Read];

    private static readonly (int Errno, UnreadableCause Cause)[] Errors =
    [
        (Errno.EIO, UnreadableCause.Medium), (Errno.EUCLEAN, UnreadableCause.Medium), (Errno.ENODATA, UnreadableCause.Medium),
        (Errno.EBADMSG, UnreadableCause.Medium), (Errno.ESTALE, UnreadableCause.Transient), (Errno.EINTR, UnreadableCause.Transient),
        (Errno.ENOMEM, UnreadableCause.Transient), (Errno.EMFILE, UnreadableCause.Transient), (Errno.ENFILE, UnreadableCause.Transient),
        (Errno.EACCES, UnreadableCause.Permission), (Errno.EPERM, UnreadableCause.Permission), (Errno.ENOTCONN, UnreadableCause.RootUnavailable),
        (Errno.ENODEV, UnreadableCause.RootUnavailable), (Errno.ETIMEDOUT, UnreadableCause.TimedOut),
    ];

    [TearDown]
    public void Nothing_is_left_open() => Calls.Open.Should().BeEmpty();

    [Test, CancelAfter(180_000)]
    public async Task A_lasting_error_is_reported_with_its_cause_at_every_site([Values] bool confirm, CancellationToken token)
    {
        Make("f", 10 * MiB);
        var (probe, root, request) = (new FileProbe(NewEngine()), OpenRoot(), ReadRequest.EveryChunk(confirm ? ReadPurpose.Confirm : ReadPurpose.Routine));
        foreach (var site in ReadingSites)
        {
            foreach (var (errno, cause) in Errors)
            {
                Calls.Fault = call => call.Site == site ? -errno : null;

                var seen = await probe.ReadAsync(root, ArtifactPath.Parse("f"), request, token);

                var unreadable = seen.Should().BeOfType<FileObservation.Unreadable>("{0} at {1}", Errno.NameOf(errno), site).Subject;
                (unreadable.Cause, unreadable.Errno).Should().Be((cause, Errno.NameOf(errno)), "at {0}", site);
            }
        }
    }

    [Test, CancelAfter(180_000)]
    public async Task A_single_error_is_never_called_damage_and_the_next_look_is_good([Values] bool confirm, CancellationToken token)
    {
        var path = Make("f", 10 * MiB);
        var (probe, root) = (new FileProbe(NewEngine()), OpenRoot());
        var request = ReadRequest.WholeFile(WholeDigests.Sha256, confirm ? ReadPurpose.Confirm : ReadPurpose.Routine);
        foreach (var site in ReadingSites)
        {
            foreach (var (errno, _) in Errors)
            {
                var fired = 0;
                Calls.Fault = call => call.Site == site && Interlocked.Exchange(ref fired, 1) == 0 ? -errno : null;

                var first = await probe.ReadAsync(root, ArtifactPath.Parse("f"), request, token);
                var second = await probe.ReadAsync(root, ArtifactPath.Parse("f"), request, token);

                fired.Should().Be(1);
                first.Should().Match(seen => seen is FileObservation.Present || seen is FileObservation.Unreadable, "{0} at {1}", Errno.NameOf(errno), site);
                if (first is FileObservation.Present present) present.Sha256.Should().Be(Sha256Of(path));
                ((FileObservation.Present)second).Sha256.Should().Be(Sha256Of(path));
            }
        }
    }

    [TestCase(Errno.EINTR)]
    [TestCase(Errno.EAGAIN)]
    [TestCase(Errno.EIO)]
    [TestCase(Errno.EUCLEAN)]
    [CancelAfter(120_000)]
    public async Task A_read_that_fails_once_is_tried_again_at_once(int errno, CancellationToken token)
    {
        var path = Make("f", 10 * MiB);
        Calls.Fault = call => call is { Site: CallSite.Read, Nth: 2 } ? -errno : null;

        var seen = await ReadAsync("f", ReadRequest.WholeFile(WholeDigests.Sha256), token);

        ((FileObservation.Present)seen).Sha256.Should().Be(Sha256Of(path));
    }

    [Test, CancelAfter(120_000)]
    public async Task A_bad_page_is_named_by_its_offset([Values] bool confirm, CancellationToken token)
    {
        const long bad = (9 * MiB) + (37 * 4096);
        Make("f", 12 * MiB);
        Calls.Fault = call => call.Site == CallSite.Read && call.Offset <= bad && bad < call.Offset + call.Length ? -Errno.EIO : null;

        var seen = await ReadAsync("f", ReadRequest.EveryChunk(confirm ? ReadPurpose.Confirm : ReadPurpose.Routine), token);

        seen.Should().Be(new FileObservation.Unreadable(UnreadableCause.Medium, "EIO", bad));
    }

    [Test, CancelAfter(120_000)]
    public async Task With_the_root_gone_an_io_error_says_nothing_about_the_file(CancellationToken token)
    {
        Make("f", 100);
        Calls.Fault = call => call.Site is CallSite.Read or CallSite.StatPath ? -Errno.EIO : null;

        var seen = await ReadAsync("f", ReadRequest.EveryChunk(), token);

        seen.Should().BeOfType<FileObservation.Unreadable>().Which.Cause.Should().Be(UnreadableCause.RootUnavailable);
    }

    [Test, CancelAfter(180_000)]
    public async Task Short_answers_are_put_together([Values(1000, 4096, 5000, 70_001)] int longest, [Values] ReadPurpose purpose, CancellationToken token)
    {
        var path = Make("f", (9 * MiB) + 777);
        Calls.MaxRead = longest;

        var seen = await ReadAsync("f", ReadRequest.WholeFile(WholeDigests.Sha256, purpose), token);

        ((FileObservation.Present)seen).Sha256.Should().Be(Sha256Of(path));
    }

    [Test, CancelAfter(120_000)]
    public async Task A_file_system_without_direct_reads_is_read_another_way_and_says_so([Values] bool refusedAtOpen, [Values] bool withDropBehind, CancellationToken token)
    {
        var path = Make("f", 12 * MiB);
        var modes = new System.Collections.Concurrent.ConcurrentBag<ReadMode>();
        Calls.Fault = call =>
        {
            if (call is { Site: CallSite.Reopen, Mode: ReadMode.Direct } && refusedAtOpen) return -Errno.EINVAL;
            if (call.Site != CallSite.Read) return null;
            if (call.Mode == ReadMode.Direct) return -Errno.EINVAL;
            if (call.Mode == ReadMode.DropBehind && !withDropBehind) return -Errno.EOPNOTSUPP;
            modes.Add(call.Mode);
            return null;
        };

        var seen = (FileObservation.Present)await ReadAsync("f", ReadRequest.WholeFile(WholeDigests.Sha256, ReadPurpose.Confirm), token);

        seen.Sha256.Should().Be(Sha256Of(path));
        seen.Route.Should().Be(ReadRoute.Buffered);
        modes.Should().OnlyContain(mode => mode == (withDropBehind ? ReadMode.DropBehind : ReadMode.Cached));
    }

    [Test, CancelAfter(120_000)]
    public async Task A_file_that_ends_early_although_its_size_stands_is_not_damage(CancellationToken token)
    {
        Make("f", 100);
        Calls.Fault = call => call.Site == CallSite.Read ? 0 : null;

        (await ReadAsync("f", ReadRequest.EveryChunk(), token)).Should().Be(new FileObservation.Unreadable(UnreadableCause.Transient, "short read", 0));
    }

    [TestCase("rewrite")]
    [TestCase("truncate")]
    [TestCase("extend")]
    [TestCase("replace")]
    [TestCase("unlink")]
    [CancelAfter(120_000)]
    public async Task A_file_that_changes_while_it_is_read_is_neither_good_nor_bad(string change, CancellationToken token)
    {
        var path = Make("f", 12 * MiB);
        var other = Make("other", 12 * MiB, seed: 2);
        Calls.Before = call =>
        {
            if (call is not { Site: CallSite.Read, Nth: 3 }) return;
            if (change == "replace") File.Move(other, path, overwrite: true);
            if (change == "unlink") File.Delete(path);
            if (change is "replace" or "unlink") return;
            using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            if (change == "truncate") file.SetLength(MiB);
            if (change == "extend") file.SetLength(13 * MiB);
            if (change == "rewrite") file.Write(new byte[100]);
        };

        (await ReadAsync("f", ReadRequest.WholeFile(WholeDigests.Sha256), token)).Should().BeOfType<FileObservation.ChangedMeanwhile>();
    }

    [Test, CancelAfter(120_000)]
    public async Task A_scan_that_meets_an_error_does_not_look_complete(
        [Values("OpenHandle", "ReopenDirectory", "ReadDirectory", "StatAt")] string site, CancellationToken token)
    {
        Make("a/f", 10);
        Make("b/f", 10);
        Calls.Fault = call => call.Site.ToString() == site && call.Nth >= 1 ? -Errno.EIO : null;

        var end = await new StatPass(NewEngine()).ScanAsync(OpenRoot(), _ => { }, token);

        end.Failure.Should().Be(new FileObservation.Unreadable(UnreadableCause.Medium, "EIO"));
    }
}
