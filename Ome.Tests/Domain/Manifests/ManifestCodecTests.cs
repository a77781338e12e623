using System.Text;
using Ome.Shared.Domain.Manifests;
using Ome.Tests.Support;

namespace Ome.Tests.Domain.Manifests;

public sealed class ManifestCodecTests
{
    private static readonly string Cases = Path.Combine(TestContext.CurrentContext.TestDirectory, "Cases", "manifests");

    private static ArtifactManifest Sample => GivenManifest.Of(
    [
        GivenManifest.Entry("config.json", 678),
        GivenManifest.Entry("model-00001-of-00002.safetensors", (2 * ArtifactManifest.ChunkSize) + 5) with
        {
            LinkTarget = "../../blobs/abc", Upstream = [ContentDigest.Of(DigestAlgorithm.Md5, new byte[16])], Baseline = ["StructureInvalid"],
        },
        GivenManifest.Entry("empty", 0),
        GivenManifest.Entry("not-yet-hashed", 9) with { Sha256 = null, Chunks = [] },
        GivenManifest.Entry("模型/重み\"quoted\".bin", 1),
    ]);

    [Test]
    public void What_is_written_is_read_again()
    {
        var manifest = Sample;

        var document = Read(ManifestCodec.Write(manifest));

        document.Manifest.Should().BeEquivalentTo(manifest, options => options.ComparingByMembers<ArtifactManifest>().ComparingByMembers<ManifestEntry>());
        document.Digest.Should().Be(ManifestCodec.DigestOf(manifest));
    }

    [Test]
    public void The_order_of_entries_does_not_matter() =>
        ManifestCodec.Write(GivenManifest.Of(Sample.Entries.Reverse())).Should().Equal(ManifestCodec.Write(Sample));

    [Test]
    public void The_text_is_the_one_of_version_1()
    {
        // Old files must stay readable: this text may only change together with the version.
        Golden.Match(Encoding.UTF8.GetString(ManifestCodec.Write(Sample)), "manifests/version-1.manifest");
    }

    [TestCase("version-1.manifest", null)]
    [TestCase("empty.manifest", SealRefusal.Empty)]
    [TestCase("version-0.manifest", SealRefusal.OlderVersion)]
    [TestCase("version-2.manifest", SealRefusal.NewerVersion)]
    [TestCase("other-format.manifest", SealRefusal.NotThisFormat)]
    [TestCase("upstream-draft.json", SealRefusal.NotThisFormat)]
    [TestCase("cut-in-body.manifest", SealRefusal.Truncated)]
    [TestCase("cut-in-head.manifest", SealRefusal.NotThisFormat)]
    [TestCase("one-bit.manifest", SealRefusal.Damaged)]
    [TestCase("zeros.manifest", SealRefusal.NotThisFormat)]
    [TestCase("appended.manifest", SealRefusal.Truncated)]
    [TestCase("resealed-unsorted.manifest", SealRefusal.Malformed)]
    [TestCase("resealed-escape.manifest", SealRefusal.Malformed)]
    [TestCase("resealed-unknown-member.manifest", SealRefusal.Malformed)]
    [TestCase("resealed-missing-chunk.manifest", SealRefusal.Malformed)]
    public void Old_and_broken_files_are_read_or_refused_with_the_reason(string file, SealRefusal? expected)
    {
        using var stream = File.OpenRead(Path.Combine(Cases, file));

        ManifestCodec.TryRead(stream, null, out var document, out var problem).Should().Be(expected is null, problem?.ToString());
        problem?.Refusal.Should().Be(expected);
        (document is null).Should().Be(expected is not null);
    }

    [Test]
    public void A_manifest_of_another_source_is_refused()
    {
        var bytes = ManifestCodec.Write(Sample);

        ManifestCodec.TryRead(new MemoryStream(bytes), GivenManifest.Source with { Revision = "another revision of the same spec" }, out _, out _).Should().BeTrue();
        ManifestCodec.TryRead(new MemoryStream(bytes), GivenManifest.Source with { StorageUri = "hf://acme/other" }, out _, out var problem).Should().BeFalse();
        problem!.Refusal.Should().Be(SealRefusal.OtherSubject);
    }

    [Test]
    public void Every_flipped_bit_is_refused()
    {
        var bytes = ManifestCodec.Write(GivenManifest.Of([GivenManifest.Entry("a", 3), GivenManifest.Entry("b", 4)]));

        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            ManifestCodec.TryRead(new MemoryStream(bytes), null, out _, out _).Should().BeFalse($"bit {bit} is flipped");
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Test]
    public void Every_truncation_is_refused()
    {
        var bytes = ManifestCodec.Write(Sample);

        for (var length = 0; length < bytes.Length; length++) ManifestCodec.TryRead(new MemoryStream(bytes, 0, length), null, out _, out _).Should().BeFalse();
    }

    private static ManifestDocument Read(byte[] bytes) =>
        ManifestCodec.TryRead(new MemoryStream(bytes), null, out var document, out var problem) ? document : throw new AssertionException(problem.ToString());
}
