using Ome.Shared.Domain.Manifests;

namespace Ome.Tests.Domain.Manifests;

public sealed class ContentDigestTests
{
    [TestCase("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [TestCase("git-sha1:e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")]
    [TestCase("md5:d41d8cd98f00b204e9800998ecf8427e")]
    [TestCase("md5-composite:d41d8cd98f00b204e9800998ecf8427e-12@209715200")]
    [TestCase("crc32c:00000000")]
    public void Its_text_form_round_trips(string text)
    {
        ContentDigest.TryParse(text, out var digest).Should().BeTrue();
        digest!.Value.ToString().Should().Be(text);
    }

    [TestCase(null)]
    [TestCase("")]
    [TestCase("sha256")]
    [TestCase("sha256:")]
    [TestCase("sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855")]
    [TestCase("sha256:e3b0")]
    [TestCase("sha512:e3b0")]
    [TestCase("md5-composite:d41d8cd98f00b204e9800998ecf8427e")]
    [TestCase("md5-composite:d41d8cd98f00b204e9800998ecf8427e-0@5")]
    [TestCase("md5-composite:d41d8cd98f00b204e9800998ecf8427e@5-1")]
    public void Anything_else_is_refused(string? text) => ContentDigest.TryParse(text, out _).Should().BeFalse();

    [Test]
    public void A_digest_of_the_wrong_length_is_a_bug() =>
        FluentActions.Invoking(() => ContentDigest.Of(DigestAlgorithm.Sha256, new byte[20])).Should().Throw<ArgumentException>();
}
